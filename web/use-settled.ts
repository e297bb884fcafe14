// What is typed, once the hand rests: not every letter is a question to the daemon.
import { useEffect, useState } from 'preact/hooks';

export function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 300);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
