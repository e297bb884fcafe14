// The typed text, once typing pauses: not every letter should be a request to the daemon.
import { useEffect, useState } from 'preact/hooks';

export function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 300);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
