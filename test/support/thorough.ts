/** Whether a test may take long: in the soak, where it tries far more of the same kind than in `npm test`. */
export const isThorough = process.env['AUTOPILOT_THOROUGH'] === '1';
