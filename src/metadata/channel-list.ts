// Many channels as one argument of a script. What their ARNs have in common is written once: ten thousand whole ARNs are 600 KB, which the
// Redis client copies several times before it sends them.

/** Returns lines, each with the common beginning of some consecutive ARNs and then the rest of each, with a space before each. */
export function packChannels(channels: readonly string[]): string {
  const lines: string[] = [];
  for (let begin = 0; begin < channels.length; ) {
    const common = beginningOf(channels[begin]!);
    let end = begin + 1;
    while (end < channels.length && beginningOf(channels[end]!) === common) end += 1;
    const rest = channels.slice(begin, end).map((channel) => channel.slice(common.length));
    lines.push(`${common} ${rest.join(' ')}`);
    begin = end;
  }
  return lines.join('\n');
}

/** The reader, in Lua: `unpackChannels(text)` returns the list. */
export const channelListLua = `
local function unpackChannels(text)
  local channels = {}
  for common, rest in string.gmatch(text, '(%S*) ([^\\n]*)') do
    for id in string.gmatch(rest, '%S+') do channels[#channels + 1] = common .. id end
  end
  return channels
end
`;

function beginningOf(channel: string): string {
  return channel.slice(0, channel.lastIndexOf('/') + 1);
}
