// Who did something, in words: what the page takes of it.
export { personText } from '#domain/person.ts';
export { endText } from '#domain/stream-end.ts';
