// A process in which an error is not caught: `node uncaught-child.ts <kind>`.
import { messageOf } from '#domain/errors.ts';
import { createLogger, Scrubber } from '#runtime/logger.ts';
import { endOnUncaught } from '#runtime/uncaught.ts';

const scrubber = new Scrubber();
// Not a secret: a text that must not appear, for this test.
scrubber.hide('hidden-by-value', 'value');
const logger = createLogger({ level: 'info', scrubber });
const kind = process.argv[2]!;
endOnUncaught((err) => {
  if (kind === 'fails while it is told') throw new Error('the telling failed');
  if (kind === 'throws again while it is told') process.emit('uncaughtException', new Error('again'));
  logger.fatal({ code: 'UNCAUGHT', err }, `uncaught: ${messageOf(err)}; the process ends`);
});

const circular: Record<string, unknown> = {};
circular['self'] = circular;
const itsOwnCause = new Error('a circle');
itsOwnCause.cause = itsOwnCause;
const unreadable = Object.defineProperty(new Error('x'), 'message', {
  get() {
    throw new Error('no message');
  },
});
const thrown: Record<string, unknown> = {
  nothing: undefined,
  null: null,
  symbol: Symbol('s'),
  circular,
  'a circle of causes': itsOwnCause,
  'without a prototype': Object.create(null),
  unreadable,
  'large number': Object.assign(new Error('x'), { details: { big: 2n ** 70n, circular } }),
};
const error = kind in thrown ? thrown[kind] : new Error('went wrong with hidden-by-value');

setInterval(() => undefined, 1_000);
if (kind === 'rejection') void Promise.reject(error);
else if (kind === 'handler') process.emit('SIGUSR2' as never, process.on('SIGUSR2', () => fail()) as never);
else setTimeout(fail, 1);

function fail(): never {
  throw error;
}
