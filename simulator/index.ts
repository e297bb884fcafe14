// `ivs-autopilot/simulator`: a local Amazon IVS for the tests of other programs.
export {
  type CallFilter,
  type CallRecord,
  type ChannelSpec,
  type ChannelState,
  type CueRecord,
  type EventRecord,
  type FaultRule,
  type MadeChannel,
  SimulatorClient,
  type Which,
} from './client.ts';
export { builtInScenarios, readScenario } from './flags.ts';
export { type SimulatorHandle, startSimulator } from './server.ts';
export { QUICK_TIMINGS, REALISTIC_TIMINGS, type SimulatorOptions } from './settings.ts';
export { type LocalSqs, startLocalSqs } from './sqs.ts';
export { type SimulatorHooks, simulatorFixture, useSimulator } from './test-fixture.ts';
