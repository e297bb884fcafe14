// The events of Amazon IVS that concern the daemon, by name. EventBridge also delivers others from the same source.
/** The four detail types, the field of `detail` that names the event, and the names there are. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html */
export const ivsEvents = {
  'IVS Stream State Change': {
    field: 'event_name',
    names: [
      'Session Created',
      'Session Ended',
      'Stream Start',
      'Stream End',
      'Stream Failure',
      'Stream Takeover',
      'Stream Takeover Failure',
    ],
  },
  'IVS Stream Health Change': { field: 'event_name', names: ['Starvation Start', 'Starvation End'] },
  'IVS Limit Breach': {
    field: 'limit_name',
    names: ['Ingest Bitrate', 'Ingest Resolution', 'Concurrent Broadcasts', 'Concurrent Viewers'],
  },
  'IVS Recording State Change': {
    field: 'recording_status',
    names: ['Recording Start', 'Recording End', 'Recording Start Failure', 'Recording End Failure'],
  },
} as const;
