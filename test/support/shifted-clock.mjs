// Preloaded (`--import`) into a process of a test: its clock is wrong, and may jump while it runs. TEST_CLOCK contains pairs `<ms after the
// start>:<ms off>`, for example `0:3600000,4000:-3600000`. The monotonic clock is not changed.
const steps = (process.env.TEST_CLOCK ?? '').split(',').map((step) => step.split(':').map(Number));
const RealDate = Date;
const realNow = Date.now;
const off = () => steps.reduce((ms, [after, shift]) => (performance.now() >= after ? shift : ms), 0);

globalThis.Date = class Date extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(realNow() + off());
    else super(...args);
  }

  static now() {
    return realNow() + off();
  }
};
