// Many channels as one argument of a script. What ARNs have in common is said once: ten thousand whole ones are 600 KB, which the
// Redis client copies several times on their way.

/** Lines of what the ARNs of some channels in a row begin with, and the rest of each, with a space before each. */
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

/** The other end, in Lua: `unpackChannels(text)` returns the list. */
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
