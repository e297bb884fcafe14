// `npm run demo`. Says at once that it has begun: what the show is made of takes some seconds to load, the first time longer.
console.log('ivs-autopilot demo: loading the daemon, the simulator of IVS and an evening of forty channels …');
await import('./show.ts');
