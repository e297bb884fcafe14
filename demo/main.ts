// `npm run demo`. Prints at once that it has begun: loading everything takes some seconds, and longer the first time.
console.log('ivs-autopilot demo: loading the daemon, the simulator of IVS and an evening of forty channels …');
await import('./show.ts');
