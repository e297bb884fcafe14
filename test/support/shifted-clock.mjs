// Preloaded (`--import`) into a process of a test: its clock is off, and may step while it runs. TEST_CLOCK holds pairs
// `<ms after the start>:<ms off>`, for example `0:3600000,4000:-3600000`. The monotonic clock stays as it is.
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
