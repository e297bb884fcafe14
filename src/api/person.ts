// Who did something, in words: what the page takes of it.
export { personText } from '#domain/person.ts';
