// The types of the HTTP API. Made from its own document by openapi-typescript: `npm run docs`.

export interface paths {
    "/v1/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The accounts of the configuration, and which living processes carry each */
        get: operations["listAccounts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/actions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Request an action: rotate a key, set a recording, stop a stream, … */
        post: operations["requestAction"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/actions/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List bulk actions: running ones and those of the last week */
        get: operations["listBulkActions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/actions/bulk/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show the progress of a bulk action */
        get: operations["getBulkAction"];
        put?: never;
        post?: never;
        /** Stop a bulk action: start no further channels */
        delete: operations["stopBulkAction"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/activate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Activate a standby with all replicas of its Redis, permanently; does nothing if there is no standby */
        post: operations["activateStandby"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ad-breaks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List ad breaks that wait for their turn, and the newest of each channel */
        get: operations["listAdBreaks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ad-breaks/{channelArn}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Cancel an ad break that waits for its turn; an inserted one cannot be undone */
        delete: operations["cancelAdBreak"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List alerts: what needs a person, the worst first */
        get: operations["listAlerts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/alerts/{id}/acknowledge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Acknowledge an alert; this ends a failed job or a refused delivery */
        post: operations["acknowledgeAlert"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List actions that wait for approval, and those of the last day that were answered or have ended */
        get: operations["listApprovals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show one action that waits for approval, with the current values; reading it changes nothing */
        get: operations["getApproval"];
        put?: never;
        /** Approve or reject; after an approval everything is checked again before the action runs */
        post: operations["answerApproval"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List who did what and why, newest first */
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Export the whole audit as JSON lines, newest first */
        get: operations["exportAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List all channels with their tags, as of the last listing */
        get: operations["listChannels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channelArn}/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Read one channel’s name, tags and settings again, now
         * @description Rules see the changes at once. 404: IVS has no such channel, and it is removed here.
         */
        post: operations["refreshChannel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Read every channel’s name, tags and settings again, in the background */
        post: operations["refreshChannels"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show the configuration in force */
        get: operations["getConfig"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/config/reload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Reload the configuration; it is applied only if all of it is valid */
        post: operations["reloadConfig"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/decisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List decisions of rules, including those not to act, newest first */
        get: operations["listDecisions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/decisions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One decision */
        get: operations["getDecision"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List messages to webhooks and their results, newest first */
        get: operations["listDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/kept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List events that were not acted on and are kept for inspection, newest first */
        get: operations["listKeptEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/fleet/samples": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Number of live streams by health, over time */
        get: operations["listFleetSamples"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/holds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List channels on hold by command (not those with the tag ops-hold) */
        get: operations["listHolds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/holds/{channelArn}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Put a channel on hold: rules do not act on it */
        put: operations["holdChannel"];
        post?: never;
        /** Release a hold */
        delete: operations["releaseChannel"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/incidents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List incidents, the open ones first */
        get: operations["listIncidents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/intents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List actions that wait for the end of a stream */
        get: operations["listIntents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/intents/{kind}/{channelArn}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Cancel a waiting action */
        delete: operations["cancelIntent"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show one job: its state, its steps so far, its result */
        get: operations["getJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send the message of a webhook, notify or emit_event job again */
        post: operations["resendJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the age of the stream keys, the oldest first: since their rotation, or at least since an audit first found them */
        get: operations["listKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Everything the operator’s page shows, as server-sent events: a snapshot, then what changes */
        get: operations["followLive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/metadata/batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the newest batches; finished ones are kept for some hours */
        get: operations["listBatches"];
        put?: never;
        /** Send items to channels, in order, within the quota */
        post: operations["sendMetadata"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/metadata/batches/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show the progress of a batch */
        get: operations["getBatch"];
        put?: never;
        post?: never;
        /** Cancel what has not been sent */
        delete: operations["cancelBatch"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/metadata/batches/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Follow a batch: server-sent events `progress`, and `finished` at the end */
        get: operations["followBatch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show whether all automation is paused */
        get: operations["getPause"];
        put?: never;
        /** Pause all automation at once; observing continues */
        post: operations["pauseAutomation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/quota": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show the use of the call-rate quotas */
        get: operations["getQuota"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/receivers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The receivers of the configuration in force */
        get: operations["listReceivers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/receivers/{receiver}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a test message to each integration of a receiver; the job returns each answer */
        post: operations["testReceiver"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/replicas": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List replicas that reported in the last ten seconds, and their differences */
        get: operations["listReplicas"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Report on the newest session of every channel with a tag */
        get: operations["getReports"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Resume automation after a pause */
        post: operations["resumeAutomation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the rules in force and what they are doing */
        get: operations["listRules"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/rules/{rule}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show one rule, with its decisions of the last 24 hours */
        get: operations["getRule"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/rules/{rule}/explain/{channelArn}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Explain why a rule acts or does not act on a channel now */
        get: operations["explainRule"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/rules/{rule}/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start a rule again that max_live_percent has stopped */
        post: operations["resetRule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show who you are; with a token, the cookie in the answer opens /queues in the same browser for twelve hours */
        get: operations["getSession"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/silences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List silences that have not ended */
        get: operations["listSilences"];
        put?: never;
        /** Hold back matching decisions for a time */
        post: operations["addSilence"];
        /** End the silence that the query names now */
        delete: operations["endSilenceOfQuery"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/silences/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change or extend a silence: in one step it ends and a new one with another id replaces it
         * @description Omitted fields stay unchanged. 404: it has ended, or somebody else has replaced it.
         */
        put: operations["replaceSilence"];
        post?: never;
        /** End a silence now */
        delete: operations["endSilence"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/standby": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether this deployment stands by */
        get: operations["getStandby"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/streams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List live streams, or those in another state */
        get: operations["listStreams"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/streams/{channelArn}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show one channel: one session with evidence and timeline, and the earlier ones */
        get: operations["getStream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/streams/{channelArn}/report": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Report on a session of one channel */
        get: operations["getReport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/streams/{channelArn}/samples": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show viewers and health of one session over time */
        get: operations["listSamples"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/timers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Cancel an action that a rule has planned for a channel; the rule no longer acts for this cause */
        delete: operations["cancelTimer"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/triggers/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Trigger the rules that listen to this name */
        post: operations["setOffTrigger"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Problem: {
            /** @description Stable code; docs/errors.md lists them */
            code: string;
            /** @description What happened, and where */
            detail: string;
            problems?: {
                message: string;
                path: string;
            }[];
            /** @description What to do */
            remedy: string;
            status: number;
            /** @description What this kind of error means */
            title: string;
            /** @description Address of the error in the documentation */
            type: string;
        } & {
            [key: string]: unknown;
        };
    };
    responses: {
        /** @description The request is not valid; `problems` names each place */
        BadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs#REQUEST_INVALID",
                 *       "title": "The request does not have the shape that the API requires; the answer names the field.",
                 *       "status": 400,
                 *       "code": "REQUEST_INVALID",
                 *       "detail": "body.item: unknown field; did you mean items?",
                 *       "remedy": "Correct the field that the answer names; /docs shows the shape.",
                 *       "problems": [
                 *         {
                 *           "path": "body.item",
                 *           "message": "unknown field; did you mean items?"
                 *         }
                 *       ]
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The Idempotency-Key was used for another request */
        Conflict: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs#IDEMPOTENCY_CONFLICT",
                 *       "title": "The Idempotency-Key was used before with another request.",
                 *       "status": 409,
                 *       "code": "IDEMPOTENCY_CONFLICT",
                 *       "detail": "the key quiz-17 was used for another request",
                 *       "remedy": "Use a new key for a new request, and the same key only to repeat the same request."
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The role of the token does not allow this */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs#FORBIDDEN",
                 *       "title": "The caller is known, but their role does not allow this.",
                 *       "status": 403,
                 *       "code": "FORBIDDEN",
                 *       "detail": "the token grafana has the role viewer; this needs operator",
                 *       "remedy": "Use a token with the role that the answer names, or let the proxy send that role for the person."
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The resource does not exist, or no longer exists */
        NotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs#NOT_FOUND",
                 *       "title": "There is no such metadata batch.",
                 *       "status": 404,
                 *       "code": "NOT_FOUND",
                 *       "detail": "there is no metadata batch b-0123abcd",
                 *       "remedy": "Check the id: `GET /v1/metadata/batches` lists the newest batches."
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Any other error; see `code` */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs#INTERNAL",
                 *       "title": "The daemon failed in an unexpected place.",
                 *       "status": 500,
                 *       "code": "INTERNAL",
                 *       "detail": "the request could not be handled",
                 *       "remedy": "Find the log line with the same code and time, and report it."
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A payload does not fit into one call of Amazon IVS; nothing was accepted */
        TooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs#PAYLOAD_TOO_LARGE",
                 *       "title": "A payload does not fit into one PutMetadata call. Nothing of the batch was accepted.",
                 *       "status": 422,
                 *       "code": "PAYLOAD_TOO_LARGE",
                 *       "detail": "items[0].payload has 1500 bytes",
                 *       "remedy": "Shorten the payload that the answer names by index and size, or send a reference to it."
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Too many requests or too much waiting work; send again after Retry-After seconds */
        TooMany: {
            headers: {
                /**
                 * @description Seconds
                 * @example 2
                 */
                "Retry-After"?: number;
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs#RATE_LIMITED",
                 *       "title": "The token sent more requests in a minute than allowed.",
                 *       "status": 429,
                 *       "code": "RATE_LIMITED",
                 *       "detail": "the token mara sent more than 3000 requests in a minute",
                 *       "remedy": "Wait as long as Retry-After says; send to many channels in one batch, or raise http.requests_per_minute."
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The token is missing or unknown */
        Unauthorized: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs#UNAUTHORIZED",
                 *       "title": "The request has neither a valid bearer token nor a name from a proxy that signs people in.",
                 *       "status": 401,
                 *       "code": "UNAUTHORIZED",
                 *       "detail": "the token is unknown",
                 *       "remedy": "Send `Authorization: Bearer <token>` with the value of AUTOPILOT_API_TOKEN. Behind an authenticating proxy, set its address in http.trusted_proxies and its header in http.auth_proxy."
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Not possible now; send again after Retry-After seconds */
        Unavailable: {
            headers: {
                /**
                 * @description Seconds
                 * @example 2
                 */
                "Retry-After"?: number;
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "/docs#TIMED_OUT",
                 *       "title": "The answer took too long, or the daemon is about to stop.",
                 *       "status": 503,
                 *       "code": "TIMED_OUT",
                 *       "detail": "the answer took too long",
                 *       "remedy": "Send the request again after Retry-After; with the same Idempotency-Key it takes effect once."
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listAccounts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accounts": [
                     *         {
                     *           "name": "name",
                     *           "region": "us-west-2",
                     *           "here": true,
                     *           "state": "carried",
                     *           "missing": [
                     *             {
                     *               "part": "intake",
                     *               "since": "2026-11-20T20:00:00.000Z"
                     *             }
                     *           ],
                     *           "carriers": [
                     *             {
                     *               "id": "id",
                     *               "role": "role",
                     *               "version": "version"
                     *             }
                     *           ]
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        accounts: {
                            /** @description The 12 digits, where they are known here */
                            accountId?: string;
                            carriers: {
                                host?: string;
                                id: string;
                                role: string;
                                version: string;
                            }[];
                            /** @description Whether the process that answers carries it */
                            here: boolean;
                            /** @description What nobody has done for longer than a restart takes */
                            missing: {
                                /** @enum {string} */
                                part: "intake" | "worker";
                                /** Format: date-time */
                                since: string;
                            }[];
                            name: string;
                            region: string;
                            /**
                             * @description unknown: Redis gives no answer; partly: nobody observes, or nobody acts, as `missing` says
                             * @enum {string}
                             */
                            state: "carried" | "partly" | "not_carried" | "unknown";
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    requestAction: {
        parameters: {
            query?: {
                /** @description Name of the account; needed with several accounts for an action without a channel */
                account?: string;
            };
            header?: {
                /** @description The same key returns the same job; for single channels */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description One action with its parameters, as in the rules file; templates may use {{ channel… }} */
                    action: {
                        capture_session?: {
                            /** @description Receiver that gets the hints */
                            notify?: string;
                        };
                        edit_playback_restriction?: {
                            /** @description Two-letter codes of ISO 3166-1; empty: every country. Omitted: unchanged */
                            allowed_countries?: string[];
                            /** @description Such as https://www.example.com; empty: every origin. Omitted: unchanged */
                            allowed_origins?: string[];
                            /** @description Name or ARN of the policy */
                            policy: string;
                        };
                        emit_event?: {
                            bus?: string;
                            detail: {
                                [key: string]: unknown;
                            };
                            detail_type: string;
                            /** @description Not aws.*, which AWS reserves. Default: ivs-autopilot */
                            source?: string;
                        };
                        ensure_recording_configuration?: {
                            /** @description In the same Region and account */
                            bucket: string;
                            name: string;
                            /** @description A stream that reconnects within this time continues the same recording. Default: 0 */
                            reconnect_window_seconds?: number;
                            tags?: {
                                [key: string]: string;
                            };
                        };
                        insert_ad_break?: {
                            /** @description How long ads are played: whole seconds, at most 5m */
                            duration: string;
                        };
                        lease_channel?: {
                            /** @description Where its stream key goes */
                            deliver: {
                                /** @description Path of a file written atomically with mode 0600 */
                                file?: string;
                                /** @description Name or ARN of an AWS Secrets Manager secret */
                                secrets_manager?: string;
                                /** @description Name of an SSM SecureString parameter */
                                ssm_parameter?: string;
                                webhook?: {
                                    /** @description File that contains the key of the HMAC-SHA256 signature */
                                    hmac_key_file: string;
                                    /** @description File that contains the HTTPS address */
                                    url_file: string;
                                };
                            };
                            /** @description The lease ends by itself after this long */
                            for?: string;
                            /** @description Pool to take a free channel from */
                            pool: string;
                        };
                        notify?: {
                            /** @description Default: as `route` says */
                            receiver?: string;
                            /**
                             * @description A label that routes and receivers use
                             * @enum {string}
                             */
                            severity?: "critical" | "error" | "warning" | "info";
                            text: string;
                        };
                        provision_channel?: {
                            /** @description Name or ARN */
                            ad_configuration?: string;
                            /** @description Whether playback needs a token. Default: false */
                            authorized?: boolean;
                            /** @description Where its stream key goes. Omitted: the key stays in IVS */
                            deliver?: {
                                /** @description Path of a file written atomically with mode 0600 */
                                file?: string;
                                /** @description Name or ARN of an AWS Secrets Manager secret */
                                secrets_manager?: string;
                                /** @description Name of an SSM SecureString parameter */
                                ssm_parameter?: string;
                                webhook?: {
                                    /** @description File that contains the key of the HMAC-SHA256 signature */
                                    hmac_key_file: string;
                                    /** @description File that contains the HTTPS address */
                                    url_file: string;
                                };
                            };
                            /**
                             * @description Default: LOW
                             * @enum {string}
                             */
                            latency_mode?: "NORMAL" | "LOW";
                            /** @description Name of the new channel. An existing channel of this name must have the same settings */
                            name: string;
                            /** @description Name or ARN of a policy */
                            playback_restriction?: string;
                            /** @description Makes it one of the channels that lease_channel lends */
                            pool?: string;
                            /** @description Name, ARN or bucket of a recording configuration */
                            recording?: string;
                            tags?: {
                                [key: string]: string;
                            };
                            /**
                             * @description Default: STANDARD
                             * @enum {string}
                             */
                            type?: "BASIC" | "STANDARD" | "ADVANCED_SD" | "ADVANCED_HD";
                        };
                        put_metadata?: {
                            /** @description Not sent after this long */
                            expires?: string;
                            /**
                             * @description What to do if the event names no channel
                             * @enum {string}
                             */
                            if_no_channel?: "skip" | "fail";
                            /** @description A newer item with the same key replaces an unsent older one */
                            key?: string;
                            /**
                             * @description Which items go first when the quota is short
                             * @enum {string}
                             */
                            lane?: "urgent" | "normal" | "bulk";
                            /** @description Text, or an object that is sent as JSON */
                            payload: string | {
                                [key: string]: unknown;
                            };
                            /** @description Default: the channel that the rule fired for */
                            targets?: {
                                /** @description These channels */
                                channelArns?: string[];
                                /**
                                 * @description Every channel with a live stream
                                 * @enum {boolean}
                                 */
                                live?: true;
                                /** @description Live channels that have, for each of these tag keys, one of its values; at least one key */
                                tags?: {
                                    [key: string]: string[];
                                };
                            };
                        };
                        report?: {
                            /** @description Path without an extension: each format adds its own (`.md`, `.html`, `.json`) */
                            file?: string;
                            /** @description Default: [md] */
                            formats?: ("md" | "html" | "json")[];
                            /** @description Receiver that gets it */
                            receiver?: string;
                        };
                        retire_channel?: {
                            /** @enum {boolean} */
                            confirm: true;
                        };
                        retire_recording_configuration?: {
                            configuration: string;
                        };
                        return_channel?: {
                            /** @description Returns the channel only if it has this leaseId */
                            lease?: string;
                        };
                        revoke_viewers?: {
                            /** @description Revokes sessions with this aws:viewer-session-version or a lower one. Default: 0 */
                            versions_up_to?: number;
                            /** @description Viewer ids, the aws:viewer-id of their playback tokens */
                            viewers: string[];
                        };
                        rotate_playback_key_pair?: {
                            deliver: {
                                /** @description Path of a file written atomically with mode 0600 */
                                file?: string;
                                /** @description Name or ARN of an AWS Secrets Manager secret */
                                secrets_manager?: string;
                                /** @description Name of an SSM SecureString parameter */
                                ssm_parameter?: string;
                                webhook?: {
                                    /** @description File that contains the key of the HMAC-SHA256 signature */
                                    hmac_key_file: string;
                                    /** @description File that contains the HTTPS address */
                                    url_file: string;
                                };
                            };
                            grace_period?: string;
                            name: string;
                        };
                        rotate_stream_key?: {
                            deliver: {
                                /** @description Path of a file written atomically with mode 0600 */
                                file?: string;
                                /** @description Name or ARN of an AWS Secrets Manager secret */
                                secrets_manager?: string;
                                /** @description Name of an SSM SecureString parameter */
                                ssm_parameter?: string;
                                webhook?: {
                                    /** @description File that contains the key of the HMAC-SHA256 signature */
                                    hmac_key_file: string;
                                    /** @description File that contains the HTTPS address */
                                    url_file: string;
                                };
                            };
                            /**
                             * @description Default: offline, deferred until Stream End
                             * @enum {string}
                             */
                            when?: "offline" | "now" | "now_and_stop";
                        };
                        set_ad_configuration?: {
                            /** @description Name or ARN of an ad configuration, or none */
                            configuration: string;
                            /**
                             * @description Default: defer
                             * @enum {string}
                             */
                            if_live?: "defer" | "skip" | "fail" | "restart";
                        };
                        set_playback_restriction?: {
                            /**
                             * @description Default: defer
                             * @enum {string}
                             */
                            if_live?: "defer" | "skip" | "fail" | "restart";
                            /** @description Name or ARN of a playback restriction policy, or none */
                            policy: string;
                        };
                        set_recording?: {
                            /** @description Name, ARN or bucket of a recording configuration, or none */
                            configuration: string;
                            /**
                             * @description Default: defer
                             * @enum {string}
                             */
                            if_live?: "defer" | "skip" | "fail" | "restart";
                        };
                        stop_stream?: {
                            revoke_key?: boolean;
                        };
                        tag?: {
                            remove?: string[];
                            set?: {
                                [key: string]: string;
                            };
                        };
                        webhook?: {
                            body?: string | {
                                [key: string]: unknown;
                            };
                            hmac_key_file?: string;
                            /** @enum {string} */
                            method?: "POST" | "PUT";
                            /** Format: uri */
                            url?: string;
                            /** @description File that contains the address */
                            url_file?: string;
                        };
                    };
                    channelArn?: string;
                    /** @description The jobs only read the current state and show the calls they would make */
                    dryRun?: boolean;
                    /**
                     * @description With targets: nothing is done if there are more channels than this
                     * @default 500
                     */
                    maxChannels?: number;
                    /** @description For the audit */
                    reason: string;
                    /** @description Nothing is done if a different stream is live */
                    streamId?: string;
                    /** @description Instead of channelArn: a job for each of these channels, a few at a time */
                    targets?: {
                        /** @description These channels */
                        channelArns?: string[];
                        /**
                         * @description Every channel with a live stream
                         * @enum {boolean}
                         */
                        live?: true;
                        /** @description Live channels that have, for each of these tag keys, one of its values; at least one key */
                        tags?: {
                            [key: string]: string[];
                        };
                    };
                };
            };
        };
        responses: {
            /** @description Default Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "jobId": "rotate_stream_key-0123abcd"
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description It was a dry run: nothing is changed
                         * @enum {boolean}
                         */
                        dryRun?: true;
                        jobId: string;
                    } | {
                        bulkId: string;
                        channels: number;
                        /**
                         * @description It was a dry run: nothing is changed
                         * @enum {boolean}
                         */
                        dryRun?: true;
                        /** @description For insert_ad_break: when each channel’s break begins */
                        plan?: {
                            /**
                             * Format: date-time
                             * @description When InsertAdBreak is called
                             */
                            at: string;
                            /** @description After the first break of the plan */
                            behindSeconds: number;
                            channelArn: string;
                            /** @description Empty: there is none, or it is unknown */
                            channelName: string;
                            /**
                             * Format: date-time
                             * @description About ten seconds later
                             */
                            startsAt: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listBulkActions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "bulks": [
                     *         {
                     *           "bulkId": "bulk-0123abcd",
                     *           "action": "put_metadata",
                     *           "state": "preparing",
                     *           "channels": 1,
                     *           "started": 1,
                     *           "outcomes": {},
                     *           "dryRun": true,
                     *           "who": "token mara",
                     *           "reason": "no reason given",
                     *           "since": "2026-11-20T20:00:00.000Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        bulks: {
                            /** @enum {string} */
                            action: "put_metadata" | "rotate_stream_key" | "set_recording" | "set_ad_configuration" | "set_playback_restriction" | "edit_playback_restriction" | "revoke_viewers" | "provision_channel" | "lease_channel" | "return_channel" | "ensure_recording_configuration" | "stop_stream" | "insert_ad_break" | "notify" | "webhook" | "emit_event" | "tag" | "capture_session" | "report" | "rotate_playback_key_pair" | "retire_recording_configuration" | "retire_channel";
                            bulkId: string;
                            channels: number;
                            dryRun: boolean;
                            /** Format: date-time */
                            endedAt?: string;
                            /** @description Ended jobs by outcome */
                            outcomes: {
                                [key: string]: number;
                            };
                            reason: string;
                            /** Format: date-time */
                            since: string;
                            /** @description Jobs handed out so far */
                            started: number;
                            /** @enum {string} */
                            state: "preparing" | "running" | "stopped" | "finished";
                            /** @description What the jobs set, compared with what IVS returns after all of them have ended */
                            verification?: {
                                checked: number;
                                differing: number;
                                /** @description The first twenty */
                                differs: {
                                    channelArn: string;
                                    expected: {
                                        [key: string]: unknown;
                                    };
                                    found: {
                                        [key: string]: unknown;
                                    };
                                }[];
                                /** @enum {string} */
                                state: "waiting" | "done";
                            };
                            who: string;
                            /** @description In a dry run: the calls that the first twenty of its jobs would make, in order */
                            wouldDo?: {
                                calls: string[];
                                channelArn: string;
                            }[];
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    getBulkAction: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The bulkId */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "bulkId": "bulk-0123abcd",
                     *       "action": "put_metadata",
                     *       "state": "preparing",
                     *       "channels": 1,
                     *       "started": 1,
                     *       "outcomes": {},
                     *       "dryRun": true,
                     *       "who": "token mara",
                     *       "reason": "no reason given",
                     *       "since": "2026-11-20T20:00:00.000Z"
                     *     }
                     */
                    "application/json": {
                        /** @enum {string} */
                        action: "put_metadata" | "rotate_stream_key" | "set_recording" | "set_ad_configuration" | "set_playback_restriction" | "edit_playback_restriction" | "revoke_viewers" | "provision_channel" | "lease_channel" | "return_channel" | "ensure_recording_configuration" | "stop_stream" | "insert_ad_break" | "notify" | "webhook" | "emit_event" | "tag" | "capture_session" | "report" | "rotate_playback_key_pair" | "retire_recording_configuration" | "retire_channel";
                        bulkId: string;
                        channels: number;
                        dryRun: boolean;
                        /** Format: date-time */
                        endedAt?: string;
                        /** @description Ended jobs by outcome */
                        outcomes: {
                            [key: string]: number;
                        };
                        reason: string;
                        /** Format: date-time */
                        since: string;
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** @description Jobs handed out so far */
                        started: number;
                        /** @enum {string} */
                        state: "preparing" | "running" | "stopped" | "finished";
                        /** @description What the jobs set, compared with what IVS returns after all of them have ended */
                        verification?: {
                            checked: number;
                            differing: number;
                            /** @description The first twenty */
                            differs: {
                                channelArn: string;
                                expected: {
                                    [key: string]: unknown;
                                };
                                found: {
                                    [key: string]: unknown;
                                };
                            }[];
                            /** @enum {string} */
                            state: "waiting" | "done";
                        };
                        who: string;
                        /** @description In a dry run: the calls that the first twenty of its jobs would make, in order */
                        wouldDo?: {
                            calls: string[];
                            channelArn: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    stopBulkAction: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The bulkId */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "bulkId": "bulk-0123abcd",
                     *       "action": "put_metadata",
                     *       "state": "preparing",
                     *       "channels": 1,
                     *       "started": 1,
                     *       "outcomes": {},
                     *       "dryRun": true,
                     *       "who": "token mara",
                     *       "reason": "no reason given",
                     *       "since": "2026-11-20T20:00:00.000Z"
                     *     }
                     */
                    "application/json": {
                        /** @enum {string} */
                        action: "put_metadata" | "rotate_stream_key" | "set_recording" | "set_ad_configuration" | "set_playback_restriction" | "edit_playback_restriction" | "revoke_viewers" | "provision_channel" | "lease_channel" | "return_channel" | "ensure_recording_configuration" | "stop_stream" | "insert_ad_break" | "notify" | "webhook" | "emit_event" | "tag" | "capture_session" | "report" | "rotate_playback_key_pair" | "retire_recording_configuration" | "retire_channel";
                        bulkId: string;
                        channels: number;
                        dryRun: boolean;
                        /** Format: date-time */
                        endedAt?: string;
                        /** @description Ended jobs by outcome */
                        outcomes: {
                            [key: string]: number;
                        };
                        reason: string;
                        /** Format: date-time */
                        since: string;
                        /** @description Jobs handed out so far */
                        started: number;
                        /** @enum {string} */
                        state: "preparing" | "running" | "stopped" | "finished";
                        /** @description What the jobs set, compared with what IVS returns after all of them have ended */
                        verification?: {
                            checked: number;
                            differing: number;
                            /** @description The first twenty */
                            differs: {
                                channelArn: string;
                                expected: {
                                    [key: string]: unknown;
                                };
                                found: {
                                    [key: string]: unknown;
                                };
                            }[];
                            /** @enum {string} */
                            state: "waiting" | "done";
                        };
                        who: string;
                        /** @description In a dry run: the calls that the first twenty of its jobs would make, in order */
                        wouldDo?: {
                            calls: string[];
                            channelArn: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    activateStandby: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Only say what would follow */
                    dryRun?: boolean;
                    /** @description With a reason for everybody who sees it */
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "standby": true,
                     *       "startedAsStandby": true,
                     *       "accounts": [
                     *         {
                     *           "name": "name",
                     *           "standby": true
                     *         }
                     *       ],
                     *       "effects": [
                     *         "effect"
                     *       ]
                     *     }
                     */
                    "application/json": {
                        accounts: {
                            /** @description Who activated it; absent while it stands by */
                            activation?: {
                                reason: string;
                                /** Format: date-time */
                                since: string;
                                who: string;
                            };
                            name: string;
                            standby: boolean;
                        }[];
                        /** @enum {boolean} */
                        dryRun?: true;
                        /** @description What follows, in sentences */
                        effects: string[];
                        /** @description It does nothing until it is activated */
                        standby: boolean;
                        /** @description By `run --standby` or AUTOPILOT_STANDBY */
                        startedAsStandby: boolean;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listAdBreaks: {
        parameters: {
            query?: {
                channelArn?: string;
                /** @description unknown: the call was sent, but neither its answer nor an event came */
                state?: "planned" | "sent" | "inserted" | "unknown" | "cancelled";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "adBreaks": [
                     *         {
                     *           "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *           "channelName": "studio-a",
                     *           "state": "planned",
                     *           "at": "2026-11-20T20:00:00.000Z",
                     *           "startsAt": "2026-11-20T20:00:00.000Z",
                     *           "endsAt": "2026-11-20T20:00:00.000Z",
                     *           "durationSeconds": 1,
                     *           "jobId": "rotate_stream_key-0123abcd",
                     *           "by": "by"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        adBreaks: {
                            adBreakId?: string;
                            /**
                             * Format: date-time
                             * @description Its turn: when InsertAdBreak is called
                             */
                            at: string;
                            by: string;
                            channelArn: string;
                            channelName: string;
                            durationSeconds: number;
                            /** Format: date-time */
                            endsAt: string;
                            jobId: string;
                            /**
                             * Format: date-time
                             * @description When the break is expected to begin: IVS takes about ten seconds
                             */
                            startsAt: string;
                            /**
                             * @description unknown: the call was sent, but neither its answer nor an event came
                             * @enum {string}
                             */
                            state: "planned" | "sent" | "inserted" | "unknown" | "cancelled";
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    cancelAdBreak: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channelArn: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *       "channelName": "studio-a",
                     *       "state": "planned",
                     *       "at": "2026-11-20T20:00:00.000Z",
                     *       "startsAt": "2026-11-20T20:00:00.000Z",
                     *       "endsAt": "2026-11-20T20:00:00.000Z",
                     *       "durationSeconds": 1,
                     *       "jobId": "rotate_stream_key-0123abcd",
                     *       "by": "by"
                     *     }
                     */
                    "application/json": {
                        adBreakId?: string;
                        /**
                         * Format: date-time
                         * @description Its turn: when InsertAdBreak is called
                         */
                        at: string;
                        by: string;
                        channelArn: string;
                        channelName: string;
                        durationSeconds: number;
                        /** Format: date-time */
                        endsAt: string;
                        jobId: string;
                        /**
                         * Format: date-time
                         * @description When the break is expected to begin: IVS takes about ten seconds
                         */
                        startsAt: string;
                        /**
                         * @description unknown: the call was sent, but neither its answer nor an event came
                         * @enum {string}
                         */
                        state: "planned" | "sent" | "inserted" | "unknown" | "cancelled";
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listAlerts: {
        parameters: {
            query?: {
                /** @description Also past alerts: the newest incidents, and others that ended within a day */
                ended?: string;
                kind?: "incident" | "keyless" | "undelivered" | "state_lost" | "redis" | "not_carried" | "data_gap" | "cap" | "delivery_failed" | "approval" | "failed_job" | "rate" | "replicas_differ" | "config" | "dead_letters" | "silence_ending" | "hold_ending";
                /** @description Only alerts acknowledged by this person, such as `token mara` or `user mara` */
                owner?: string;
                state?: "open" | "acknowledged" | "resolved";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "alerts": [
                     *         {
                     *           "id": "id",
                     *           "kind": "incident",
                     *           "severity": "critical",
                     *           "title": "title",
                     *           "cause": "cause",
                     *           "link": "link",
                     *           "since": "2026-11-20T20:00:00.000Z",
                     *           "end": "2026-11-20T20:00:00.000Z",
                     *           "state": "open"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        alerts: {
                            acknowledged?: {
                                /** Format: date-time */
                                at: string;
                                note: string;
                                who: string;
                            };
                            /** @description What happened, in full */
                            cause: string;
                            channelArn?: string;
                            /**
                             * @description Only a person ends it, by acknowledging it
                             * @enum {boolean}
                             */
                            dismissible?: true;
                            /** @description When it ended or ends by itself; null: when its cause is gone */
                            end: string | null;
                            id: string;
                            /** @enum {string} */
                            kind: "incident" | "keyless" | "undelivered" | "state_lost" | "redis" | "not_carried" | "data_gap" | "cap" | "delivery_failed" | "approval" | "failed_job" | "rate" | "replicas_differ" | "config" | "dead_letters" | "silence_ending" | "hold_ending";
                            /** @description A path of this daemon with more details */
                            link: string;
                            /** @description The person who acknowledged it last */
                            owner?: string;
                            rule?: string;
                            /** @enum {string} */
                            severity: "critical" | "warning";
                            /** Format: date-time */
                            since: string;
                            /**
                             * @description resolved: it is over
                             * @enum {string}
                             */
                            state: "open" | "acknowledged" | "resolved";
                            title: string;
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** @description Accounts whose Redis could not be asked: the answer says nothing of them */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    acknowledgeAlert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    note?: string;
                };
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "id",
                     *       "kind": "incident",
                     *       "severity": "critical",
                     *       "title": "title",
                     *       "cause": "cause",
                     *       "link": "link",
                     *       "since": "2026-11-20T20:00:00.000Z",
                     *       "end": "2026-11-20T20:00:00.000Z",
                     *       "state": "open"
                     *     }
                     */
                    "application/json": {
                        acknowledged?: {
                            /** Format: date-time */
                            at: string;
                            note: string;
                            who: string;
                        };
                        /** @description What happened, in full */
                        cause: string;
                        channelArn?: string;
                        /**
                         * @description Only a person ends it, by acknowledging it
                         * @enum {boolean}
                         */
                        dismissible?: true;
                        /** @description When it ended or ends by itself; null: when its cause is gone */
                        end: string | null;
                        id: string;
                        /** @enum {string} */
                        kind: "incident" | "keyless" | "undelivered" | "state_lost" | "redis" | "not_carried" | "data_gap" | "cap" | "delivery_failed" | "approval" | "failed_job" | "rate" | "replicas_differ" | "config" | "dead_letters" | "silence_ending" | "hold_ending";
                        /** @description A path of this daemon with more details */
                        link: string;
                        /** @description The person who acknowledged it last */
                        owner?: string;
                        rule?: string;
                        /** @enum {string} */
                        severity: "critical" | "warning";
                        /** Format: date-time */
                        since: string;
                        /**
                         * @description resolved: it is over
                         * @enum {string}
                         */
                        state: "open" | "acknowledged" | "resolved";
                        title: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listApprovals: {
        parameters: {
            query?: {
                rule?: string;
                state?: "waiting" | "approved" | "rejected" | "timed_out" | "cancelled";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "approvals": [
                     *         {
                     *           "id": "id",
                     *           "state": "waiting",
                     *           "rule": "starving-slate",
                     *           "list": "actions",
                     *           "step": 1,
                     *           "action": "put_metadata",
                     *           "params": {},
                     *           "deed": "deed",
                     *           "why": "why",
                     *           "decisionId": "decisionId",
                     *           "askedAt": "2026-11-20T20:00:00.000Z",
                     *           "until": "2026-11-20T20:00:00.000Z",
                     *           "endedAt": "2026-11-20T20:00:00.000Z",
                     *           "by": "operator",
                     *           "count": 1,
                     *           "missing": 1,
                     *           "notByAuthor": true,
                     *           "onTimeout": "cancel",
                     *           "shown": {},
                     *           "answers": [
                     *             {
                     *               "verdict": "approve",
                     *               "who": "token mara",
                     *               "from": "from",
                     *               "reason": "no reason given",
                     *               "at": "2026-11-20T20:00:00.000Z",
                     *               "shown": {}
                     *             }
                     *           ],
                     *           "link": "link"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        approvals: {
                            /** @enum {string} */
                            action: "put_metadata" | "rotate_stream_key" | "set_recording" | "set_ad_configuration" | "set_playback_restriction" | "edit_playback_restriction" | "revoke_viewers" | "provision_channel" | "lease_channel" | "return_channel" | "ensure_recording_configuration" | "stop_stream" | "insert_ad_break" | "notify" | "webhook" | "emit_event" | "tag" | "capture_session" | "report" | "rotate_playback_key_pair" | "retire_recording_configuration" | "retire_channel";
                            answers: {
                                /** Format: date-time */
                                at: string;
                                from: string;
                                reason: string;
                                shown: {
                                    [key: string]: string | number | boolean;
                                };
                                /** @enum {string} */
                                verdict: "approve" | "reject";
                                who: string;
                            }[];
                            /** Format: date-time */
                            askedAt: string;
                            /** @description The person who caused it, if there is one */
                            author?: string;
                            /**
                             * @description The lowest role that may answer
                             * @enum {string}
                             */
                            by: "operator" | "admin";
                            channelArn?: string;
                            channelName?: string;
                            /** @description How many different people must approve */
                            count: number;
                            /** @description The decision that requested it */
                            decisionId: string;
                            /** @description What will happen to which channel, in one line */
                            deed: string;
                            endedAt: string | null;
                            id: string;
                            /** @description The job, if it was approved */
                            jobId?: string;
                            /** @description Its address on the page */
                            link: string;
                            /** @enum {string} */
                            list: "actions" | "on_resolve";
                            /** @description How many approvals are missing */
                            missing: number;
                            notByAuthor: boolean;
                            /** @description How it ended */
                            note?: string;
                            /** @description The current values, while it waits */
                            now?: {
                                [key: string]: string | number | boolean;
                            };
                            /** @enum {string} */
                            onTimeout: "cancel";
                            /** @description With templates rendered: exactly this will be done */
                            params: {
                                [key: string]: unknown;
                            };
                            rule: string;
                            /** @description The values that the message showed */
                            shown: {
                                [key: string]: string | number | boolean;
                            };
                            /**
                             * @description cancelled: its cause is over, or the rule was changed
                             * @enum {string}
                             */
                            state: "waiting" | "approved" | "rejected" | "timed_out" | "cancelled";
                            /** @description Its place in that list, from 0 */
                            step: number;
                            /** @description The stream session it was requested for; no other session is touched */
                            streamId?: string;
                            /**
                             * Format: date-time
                             * @description When its time runs out; it then does not run
                             */
                            until: string;
                            /** @description What triggered the rule */
                            why: string;
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** @description Accounts whose Redis could not be asked: the answer says nothing of them */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    getApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "id",
                     *       "state": "waiting",
                     *       "rule": "starving-slate",
                     *       "list": "actions",
                     *       "step": 1,
                     *       "action": "put_metadata",
                     *       "params": {},
                     *       "deed": "deed",
                     *       "why": "why",
                     *       "decisionId": "decisionId",
                     *       "askedAt": "2026-11-20T20:00:00.000Z",
                     *       "until": "2026-11-20T20:00:00.000Z",
                     *       "endedAt": "2026-11-20T20:00:00.000Z",
                     *       "by": "operator",
                     *       "count": 1,
                     *       "missing": 1,
                     *       "notByAuthor": true,
                     *       "onTimeout": "cancel",
                     *       "shown": {},
                     *       "answers": [
                     *         {
                     *           "verdict": "approve",
                     *           "who": "token mara",
                     *           "from": "from",
                     *           "reason": "no reason given",
                     *           "at": "2026-11-20T20:00:00.000Z",
                     *           "shown": {}
                     *         }
                     *       ],
                     *       "link": "link"
                     *     }
                     */
                    "application/json": {
                        /** @enum {string} */
                        action: "put_metadata" | "rotate_stream_key" | "set_recording" | "set_ad_configuration" | "set_playback_restriction" | "edit_playback_restriction" | "revoke_viewers" | "provision_channel" | "lease_channel" | "return_channel" | "ensure_recording_configuration" | "stop_stream" | "insert_ad_break" | "notify" | "webhook" | "emit_event" | "tag" | "capture_session" | "report" | "rotate_playback_key_pair" | "retire_recording_configuration" | "retire_channel";
                        answers: {
                            /** Format: date-time */
                            at: string;
                            from: string;
                            reason: string;
                            shown: {
                                [key: string]: string | number | boolean;
                            };
                            /** @enum {string} */
                            verdict: "approve" | "reject";
                            who: string;
                        }[];
                        /** Format: date-time */
                        askedAt: string;
                        /** @description The person who caused it, if there is one */
                        author?: string;
                        /**
                         * @description The lowest role that may answer
                         * @enum {string}
                         */
                        by: "operator" | "admin";
                        channelArn?: string;
                        channelName?: string;
                        /** @description How many different people must approve */
                        count: number;
                        /** @description The decision that requested it */
                        decisionId: string;
                        /** @description What will happen to which channel, in one line */
                        deed: string;
                        endedAt: string | null;
                        id: string;
                        /** @description The job, if it was approved */
                        jobId?: string;
                        /** @description Its address on the page */
                        link: string;
                        /** @enum {string} */
                        list: "actions" | "on_resolve";
                        /** @description How many approvals are missing */
                        missing: number;
                        notByAuthor: boolean;
                        /** @description How it ended */
                        note?: string;
                        /** @description The current values, while it waits */
                        now?: {
                            [key: string]: string | number | boolean;
                        };
                        /** @enum {string} */
                        onTimeout: "cancel";
                        /** @description With templates rendered: exactly this will be done */
                        params: {
                            [key: string]: unknown;
                        };
                        rule: string;
                        /** @description The values that the message showed */
                        shown: {
                            [key: string]: string | number | boolean;
                        };
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /**
                         * @description cancelled: its cause is over, or the rule was changed
                         * @enum {string}
                         */
                        state: "waiting" | "approved" | "rejected" | "timed_out" | "cancelled";
                        /** @description Its place in that list, from 0 */
                        step: number;
                        /** @description The stream session it was requested for; no other session is touched */
                        streamId?: string;
                        /**
                         * Format: date-time
                         * @description When its time runs out; it then does not run
                         */
                        until: string;
                        /** @description What triggered the rule */
                        why: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    answerApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    decision: "approve" | "reject";
                    /** @description With a reason for the audit */
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "id",
                     *       "state": "waiting",
                     *       "rule": "starving-slate",
                     *       "list": "actions",
                     *       "step": 1,
                     *       "action": "put_metadata",
                     *       "params": {},
                     *       "deed": "deed",
                     *       "why": "why",
                     *       "decisionId": "decisionId",
                     *       "askedAt": "2026-11-20T20:00:00.000Z",
                     *       "until": "2026-11-20T20:00:00.000Z",
                     *       "endedAt": "2026-11-20T20:00:00.000Z",
                     *       "by": "operator",
                     *       "count": 1,
                     *       "missing": 1,
                     *       "notByAuthor": true,
                     *       "onTimeout": "cancel",
                     *       "shown": {},
                     *       "answers": [
                     *         {
                     *           "verdict": "approve",
                     *           "who": "token mara",
                     *           "from": "from",
                     *           "reason": "no reason given",
                     *           "at": "2026-11-20T20:00:00.000Z",
                     *           "shown": {}
                     *         }
                     *       ],
                     *       "link": "link"
                     *     }
                     */
                    "application/json": {
                        /** @enum {string} */
                        action: "put_metadata" | "rotate_stream_key" | "set_recording" | "set_ad_configuration" | "set_playback_restriction" | "edit_playback_restriction" | "revoke_viewers" | "provision_channel" | "lease_channel" | "return_channel" | "ensure_recording_configuration" | "stop_stream" | "insert_ad_break" | "notify" | "webhook" | "emit_event" | "tag" | "capture_session" | "report" | "rotate_playback_key_pair" | "retire_recording_configuration" | "retire_channel";
                        answers: {
                            /** Format: date-time */
                            at: string;
                            from: string;
                            reason: string;
                            shown: {
                                [key: string]: string | number | boolean;
                            };
                            /** @enum {string} */
                            verdict: "approve" | "reject";
                            who: string;
                        }[];
                        /** Format: date-time */
                        askedAt: string;
                        /** @description The person who caused it, if there is one */
                        author?: string;
                        /**
                         * @description The lowest role that may answer
                         * @enum {string}
                         */
                        by: "operator" | "admin";
                        channelArn?: string;
                        channelName?: string;
                        /** @description How many different people must approve */
                        count: number;
                        /** @description The decision that requested it */
                        decisionId: string;
                        /** @description What will happen to which channel, in one line */
                        deed: string;
                        endedAt: string | null;
                        id: string;
                        /** @description The job, if it was approved */
                        jobId?: string;
                        /** @description Its address on the page */
                        link: string;
                        /** @enum {string} */
                        list: "actions" | "on_resolve";
                        /** @description How many approvals are missing */
                        missing: number;
                        notByAuthor: boolean;
                        /** @description How it ended */
                        note?: string;
                        /** @description The current values, while it waits */
                        now?: {
                            [key: string]: string | number | boolean;
                        };
                        /** @enum {string} */
                        onTimeout: "cancel";
                        /** @description With templates rendered: exactly this will be done */
                        params: {
                            [key: string]: unknown;
                        };
                        rule: string;
                        /** @description The values that the message showed */
                        shown: {
                            [key: string]: string | number | boolean;
                        };
                        /**
                         * @description cancelled: its cause is over, or the rule was changed
                         * @enum {string}
                         */
                        state: "waiting" | "approved" | "rejected" | "timed_out" | "cancelled";
                        /** @description Its place in that list, from 0 */
                        step: number;
                        /** @description The stream session it was requested for; no other session is touched */
                        streamId?: string;
                        /**
                         * Format: date-time
                         * @description When its time runs out; it then does not run
                         */
                        until: string;
                        /** @description What triggered the rule */
                        why: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listAudit: {
        parameters: {
            query?: {
                /** @description `next` of the previous page */
                before?: string;
                channelArn?: string;
                limit?: number;
                /** @description Only since then: a time, or how long ago, such as 2h */
                since?: string;
                /** @description Only before this time */
                until?: string;
                what?: string;
                who?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "entries": [
                     *         {
                     *           "id": "id",
                     *           "at": "2026-11-20T20:00:00.000Z",
                     *           "who": "token mara",
                     *           "what": "what",
                     *           "outcome": "outcome",
                     *           "why": "why"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        entries: {
                            after?: unknown;
                            /** Format: date-time */
                            at: string;
                            before?: unknown;
                            channelArn?: string;
                            channelName?: string;
                            /** @description Values compared right before it */
                            checks?: {
                                asked: {
                                    [key: string]: unknown;
                                };
                                /** Format: date-time */
                                at: string;
                                /** @description A guard, or a worker’s check right before it acted: pause, hold, session, only_if, live, … */
                                check: string;
                                found: {
                                    [key: string]: unknown;
                                };
                                /** @enum {string} */
                                verdict: "passed" | "failed";
                            }[];
                            configHash?: string;
                            decisionId?: string;
                            dryRun?: boolean;
                            id: string;
                            jobId?: string;
                            /** @description requested, refused, done, already_done, skipped, deferred, failed */
                            outcome: string;
                            params?: unknown;
                            reason?: string;
                            what: string;
                            /** @description `rule <name>` or `token <name>` */
                            who: string;
                            /** @description The given reason, or the id of the decision */
                            why: string;
                        }[];
                        next?: string;
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** @description Accounts whose Redis could not be asked: the answer says nothing of them */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    exportAudit: {
        parameters: {
            query?: {
                channelArn?: string;
                /** @description Only since then: a time, or how long ago, such as 2h */
                since?: string;
                /** @description Only before this time */
                until?: string;
                what?: string;
                who?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listChannels: {
        parameters: {
            query?: {
                /** @description `next` of the previous page */
                after?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "channels": [
                     *         {
                     *           "arn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *           "name": "name",
                     *           "type": "type",
                     *           "latencyMode": "latencyMode",
                     *           "recordingConfigurationArn": "recordingConfigurationArn",
                     *           "tags": {}
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        channels: {
                            /** @description Empty: no ads */
                            adConfigurationArn?: string;
                            arn: string;
                            /** @description Playback needs a token. This and the next fields are omitted if IVS has not returned them */
                            authorized?: boolean;
                            containerFormat?: string;
                            insecureIngest?: boolean;
                            latencyMode: string;
                            multitrackInputConfiguration?: {
                                enabled?: boolean;
                                maximumResolution?: string;
                                policy?: string;
                            };
                            /** @description May be empty; not unique */
                            name: string;
                            /** @description Empty: playback is not restricted */
                            playbackRestrictionPolicyArn?: string;
                            preset?: string;
                            /** @description Empty: recording is off */
                            recordingConfigurationArn: string;
                            tags: {
                                [key: string]: string;
                            };
                            type: string;
                        }[];
                        /** @description `after` of the next page */
                        next?: string;
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    refreshChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channelArn: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description With a reason for the audit */
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "channel": {
                     *         "arn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *         "name": "name",
                     *         "type": "type",
                     *         "latencyMode": "latencyMode",
                     *         "recordingConfigurationArn": "recordingConfigurationArn",
                     *         "tags": {}
                     *       },
                     *       "changed": [
                     *         "changed"
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description Fields that have changed; `new` for a new channel */
                        changed: string[];
                        channel: {
                            /** @description Empty: no ads */
                            adConfigurationArn?: string;
                            arn: string;
                            /** @description Playback needs a token. This and the next fields are omitted if IVS has not returned them */
                            authorized?: boolean;
                            containerFormat?: string;
                            insecureIngest?: boolean;
                            latencyMode: string;
                            multitrackInputConfiguration?: {
                                enabled?: boolean;
                                maximumResolution?: string;
                                policy?: string;
                            };
                            /** @description May be empty; not unique */
                            name: string;
                            /** @description Empty: playback is not restricted */
                            playbackRestrictionPolicyArn?: string;
                            preset?: string;
                            /** @description Empty: recording is off */
                            recordingConfigurationArn: string;
                            tags: {
                                [key: string]: string;
                            };
                            type: string;
                        };
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    refreshChannels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description With a reason for the audit */
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description Default Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "jobs": [
                     *         {
                     *           "account": "main",
                     *           "jobId": "rotate_stream_key-0123abcd"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description See GET /v1/jobs/{id} */
                        jobs: {
                            account: string;
                            jobId: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    getConfig: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "hash": "5f3c0a9e",
                     *       "loadedAt": "2026-11-20T20:00:00.000Z",
                     *       "needRestart": [
                     *         "needRestart"
                     *       ],
                     *       "lastAttempt": {
                     *         "at": "2026-11-20T20:00:00.000Z",
                     *         "outcome": "loaded"
                     *       }
                     *     }
                     */
                    "application/json": {
                        /** @description Hash of the configuration in force */
                        hash: string;
                        /** @description The last reading of the file, at the start, by a signal, by a request, or because it changed */
                        lastAttempt: {
                            /** Format: date-time */
                            at: string;
                            /** @description Why it was refused; the previous configuration stays in force */
                            error?: string;
                            /** @enum {string} */
                            outcome: "loaded" | "refused";
                        };
                        /** Format: date-time */
                        loadedAt: string;
                        /** @description Settings that differ from those at the start and take effect only after a restart */
                        needRestart: string[];
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    reloadConfig: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /** @example {} */
                "application/json": Record<string, never> | null;
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "hash": "5f3c0a9e",
                     *       "loadedAt": "2026-11-20T20:00:00.000Z",
                     *       "needRestart": [
                     *         "needRestart"
                     *       ],
                     *       "lastAttempt": {
                     *         "at": "2026-11-20T20:00:00.000Z",
                     *         "outcome": "loaded"
                     *       },
                     *       "changed": true
                     *     }
                     */
                    "application/json": {
                        changed: boolean;
                        /** @description Hash of the configuration in force */
                        hash: string;
                        /** @description The last reading of the file, at the start, by a signal, by a request, or because it changed */
                        lastAttempt: {
                            /** Format: date-time */
                            at: string;
                            /** @description Why it was refused; the previous configuration stays in force */
                            error?: string;
                            /** @enum {string} */
                            outcome: "loaded" | "refused";
                        };
                        /** Format: date-time */
                        loadedAt: string;
                        /** @description Settings that differ from those at the start and take effect only after a restart */
                        needRestart: string[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listDecisions: {
        parameters: {
            query?: {
                /** @description `next` of the previous page */
                after?: string;
                channelArn?: string;
                limit?: number;
                outcome?: "acted" | "would_act" | "pending" | "not_fired" | "suppressed" | "resolved";
                reason?: "fired" | "step_due" | "condition_ended" | "rule_gone" | "condition_began" | "trigger_not_met" | "match_failed" | "no_channel" | "while_broken" | "for_not_reached" | "event_too_old" | "already_acted" | "once_per_session" | "step_cancelled" | "rule_changed" | "superseded" | "too_many_waiting" | "warming_up" | "data_gap" | "paused" | "held" | "silenced" | "inhibited" | "cooldown" | "incident_open" | "min_gap" | "max_per_hour" | "max_live_percent" | "rule_stopped" | "awaiting_approval" | "approved" | "approval_rejected" | "approval_timed_out" | "session_over" | "too_many_approvals" | "recovering" | "template_failed";
                rule?: string;
                /** @description A time, or how long ago, such as 2h */
                since?: string;
                /** @description Words that must all occur in the decision: names, ids, ARN, trigger, reason, actions, guards */
                text?: string;
                /** @description Only before this time */
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "decisions": [
                     *         {
                     *           "id": "id",
                     *           "at": "2026-11-20T20:00:00.000Z",
                     *           "rule": "starving-slate",
                     *           "mode": "enforce",
                     *           "outcome": "acted",
                     *           "reason": "fired",
                     *           "words": "words",
                     *           "meaning": "meaning",
                     *           "group": "group",
                     *           "cause": "cause",
                     *           "count": 1,
                     *           "trigger": {
                     *             "kind": "kind",
                     *             "since": "2026-11-20T20:00:00.000Z",
                     *             "text": "text",
                     *             "values": {}
                     *           },
                     *           "guards": [
                     *             {
                     *               "guard": "guard",
                     *               "passed": true,
                     *               "values": {}
                     *             }
                     *           ],
                     *           "jobs": [
                     *             {
                     *               "jobId": "rotate_stream_key-0123abcd",
                     *               "action": "action"
                     *             }
                     *           ],
                     *           "checks": [
                     *             {
                     *               "check": "check",
                     *               "verdict": "passed",
                     *               "asked": {},
                     *               "found": {},
                     *               "at": "2026-11-20T20:00:00.000Z"
                     *             }
                     *           ],
                     *           "withheld": [
                     *             {
                     *               "action": "action",
                     *               "reason": "fired",
                     *               "values": {}
                     *             }
                     *           ]
                     *         }
                     *       ],
                     *       "truncated": true
                     *     }
                     */
                    "application/json": {
                        decisions: {
                            /** @description For an action with `after`: how long that is */
                            afterMs?: number;
                            /** Format: date-time */
                            at: string;
                            cause: string;
                            channelArn?: string;
                            channelName?: string;
                            /** @description Every compared value, in order: guards, what was held back, and what the jobs found */
                            checks: {
                                asked: {
                                    [key: string]: unknown;
                                };
                                /** Format: date-time */
                                at: string;
                                /** @description A guard, or a worker’s check right before it acted: pause, hold, session, only_if, live, … */
                                check: string;
                                found: {
                                    [key: string]: unknown;
                                };
                                jobId?: string;
                                /** @enum {string} */
                                verdict: "passed" | "failed";
                            }[];
                            /** @description Hash of the configuration that decided */
                            configHash?: string;
                            /** @description How many channels with the same decision at that moment share this entry */
                            count: number;
                            /** @description If the entry covers many channels: the one whose stream, trigger and values are shown */
                            example?: {
                                channelArn?: string;
                                channelName?: string;
                            };
                            group: string;
                            /** @description In the order of checking; the first that did not pass decided */
                            guards: {
                                guard: string;
                                passed: boolean;
                                values: {
                                    [key: string]: string | number | boolean;
                                };
                            }[];
                            id: string;
                            jobs: {
                                action: string;
                                /** @description What the worker compared right before it acted, or did not */
                                checks?: {
                                    asked: {
                                        [key: string]: unknown;
                                    };
                                    /** Format: date-time */
                                    at: string;
                                    /** @description A guard, or a worker’s check right before it acted: pause, hold, session, only_if, live, … */
                                    check: string;
                                    found: {
                                        [key: string]: unknown;
                                    };
                                    /** @enum {string} */
                                    verdict: "passed" | "failed";
                                }[];
                                /** @description The results of the items of a put_metadata, as (item, channel) pairs */
                                delivery?: {
                                    batchId: string;
                                    cancelled: number;
                                    /** @description Replaced by a newer item with the same key */
                                    conflated: number;
                                    delivered: number;
                                    expired: number;
                                    failed: number;
                                    /** Format: date-time */
                                    finishedAt?: string;
                                    notBroadcasting: number;
                                    pending: number;
                                    /** @description Why items did not arrive: codes and words */
                                    reason?: string;
                                };
                                detail?: string;
                                /** @description If `mode` is not `enforce`, no job was requested: the id that it would have had */
                                jobId: string;
                                /** @description Its result, once it has ended */
                                outcome?: string;
                            }[];
                            /** @description The reason in a sentence */
                            meaning: string;
                            /** @enum {string} */
                            mode: "enforce" | "dry_run" | "off";
                            /** @enum {string} */
                            outcome: "acted" | "would_act" | "pending" | "not_fired" | "suppressed" | "resolved";
                            /** @enum {string} */
                            reason: "fired" | "step_due" | "condition_ended" | "rule_gone" | "condition_began" | "trigger_not_met" | "match_failed" | "no_channel" | "while_broken" | "for_not_reached" | "event_too_old" | "already_acted" | "once_per_session" | "step_cancelled" | "rule_changed" | "superseded" | "too_many_waiting" | "warming_up" | "data_gap" | "paused" | "held" | "silenced" | "inhibited" | "cooldown" | "incident_open" | "min_gap" | "max_per_hour" | "max_live_percent" | "rule_stopped" | "awaiting_approval" | "approved" | "approval_rejected" | "approval_timed_out" | "session_over" | "too_many_approvals" | "recovering" | "template_failed";
                            rule: string;
                            streamId?: string;
                            trigger: {
                                kind: string;
                                /** Format: date-time */
                                since: string;
                                text: string;
                                values: {
                                    [key: string]: string | number | boolean;
                                };
                            };
                            /** @description Actions that were held back individually */
                            withheld: {
                                action: string;
                                /** @enum {string} */
                                reason: "fired" | "step_due" | "condition_ended" | "rule_gone" | "condition_began" | "trigger_not_met" | "match_failed" | "no_channel" | "while_broken" | "for_not_reached" | "event_too_old" | "already_acted" | "once_per_session" | "step_cancelled" | "rule_changed" | "superseded" | "too_many_waiting" | "warming_up" | "data_gap" | "paused" | "held" | "silenced" | "inhibited" | "cooldown" | "incident_open" | "min_gap" | "max_per_hour" | "max_live_percent" | "rule_stopped" | "awaiting_approval" | "approved" | "approval_rejected" | "approval_timed_out" | "session_over" | "too_many_approvals" | "recovering" | "template_failed";
                                values: {
                                    [key: string]: string | number | boolean;
                                };
                            }[];
                            /** @description The same in a few words: `3 min after firing`, `on hold by mara: sponsor on air` */
                            words: string;
                        }[];
                        /** @description Send it as `after` to get older ones */
                        next?: string;
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** @description The search did not reach the beginning of the journal */
                        truncated: boolean;
                        /** @description Accounts whose Redis could not be asked: the answer says nothing of them */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    getDecision: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "id",
                     *       "at": "2026-11-20T20:00:00.000Z",
                     *       "rule": "starving-slate",
                     *       "mode": "enforce",
                     *       "outcome": "acted",
                     *       "reason": "fired",
                     *       "words": "words",
                     *       "meaning": "meaning",
                     *       "group": "group",
                     *       "cause": "cause",
                     *       "count": 1,
                     *       "trigger": {
                     *         "kind": "kind",
                     *         "since": "2026-11-20T20:00:00.000Z",
                     *         "text": "text",
                     *         "values": {}
                     *       },
                     *       "guards": [
                     *         {
                     *           "guard": "guard",
                     *           "passed": true,
                     *           "values": {}
                     *         }
                     *       ],
                     *       "jobs": [
                     *         {
                     *           "jobId": "rotate_stream_key-0123abcd",
                     *           "action": "action"
                     *         }
                     *       ],
                     *       "checks": [
                     *         {
                     *           "check": "check",
                     *           "verdict": "passed",
                     *           "asked": {},
                     *           "found": {},
                     *           "at": "2026-11-20T20:00:00.000Z"
                     *         }
                     *       ],
                     *       "withheld": [
                     *         {
                     *           "action": "action",
                     *           "reason": "fired",
                     *           "values": {}
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description For an action with `after`: how long that is */
                        afterMs?: number;
                        /** Format: date-time */
                        at: string;
                        cause: string;
                        channelArn?: string;
                        channelName?: string;
                        /** @description Every compared value, in order: guards, what was held back, and what the jobs found */
                        checks: {
                            asked: {
                                [key: string]: unknown;
                            };
                            /** Format: date-time */
                            at: string;
                            /** @description A guard, or a worker’s check right before it acted: pause, hold, session, only_if, live, … */
                            check: string;
                            found: {
                                [key: string]: unknown;
                            };
                            jobId?: string;
                            /** @enum {string} */
                            verdict: "passed" | "failed";
                        }[];
                        /** @description Hash of the configuration that decided */
                        configHash?: string;
                        /** @description How many channels with the same decision at that moment share this entry */
                        count: number;
                        /** @description If the entry covers many channels: the one whose stream, trigger and values are shown */
                        example?: {
                            channelArn?: string;
                            channelName?: string;
                        };
                        group: string;
                        /** @description In the order of checking; the first that did not pass decided */
                        guards: {
                            guard: string;
                            passed: boolean;
                            values: {
                                [key: string]: string | number | boolean;
                            };
                        }[];
                        id: string;
                        jobs: {
                            action: string;
                            /** @description What the worker compared right before it acted, or did not */
                            checks?: {
                                asked: {
                                    [key: string]: unknown;
                                };
                                /** Format: date-time */
                                at: string;
                                /** @description A guard, or a worker’s check right before it acted: pause, hold, session, only_if, live, … */
                                check: string;
                                found: {
                                    [key: string]: unknown;
                                };
                                /** @enum {string} */
                                verdict: "passed" | "failed";
                            }[];
                            /** @description The results of the items of a put_metadata, as (item, channel) pairs */
                            delivery?: {
                                batchId: string;
                                cancelled: number;
                                /** @description Replaced by a newer item with the same key */
                                conflated: number;
                                delivered: number;
                                expired: number;
                                failed: number;
                                /** Format: date-time */
                                finishedAt?: string;
                                notBroadcasting: number;
                                pending: number;
                                /** @description Why items did not arrive: codes and words */
                                reason?: string;
                            };
                            detail?: string;
                            /** @description If `mode` is not `enforce`, no job was requested: the id that it would have had */
                            jobId: string;
                            /** @description Its result, once it has ended */
                            outcome?: string;
                        }[];
                        /** @description The reason in a sentence */
                        meaning: string;
                        /** @enum {string} */
                        mode: "enforce" | "dry_run" | "off";
                        /** @enum {string} */
                        outcome: "acted" | "would_act" | "pending" | "not_fired" | "suppressed" | "resolved";
                        /** @enum {string} */
                        reason: "fired" | "step_due" | "condition_ended" | "rule_gone" | "condition_began" | "trigger_not_met" | "match_failed" | "no_channel" | "while_broken" | "for_not_reached" | "event_too_old" | "already_acted" | "once_per_session" | "step_cancelled" | "rule_changed" | "superseded" | "too_many_waiting" | "warming_up" | "data_gap" | "paused" | "held" | "silenced" | "inhibited" | "cooldown" | "incident_open" | "min_gap" | "max_per_hour" | "max_live_percent" | "rule_stopped" | "awaiting_approval" | "approved" | "approval_rejected" | "approval_timed_out" | "session_over" | "too_many_approvals" | "recovering" | "template_failed";
                        rule: string;
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        streamId?: string;
                        trigger: {
                            kind: string;
                            /** Format: date-time */
                            since: string;
                            text: string;
                            values: {
                                [key: string]: string | number | boolean;
                            };
                        };
                        /** @description Actions that were held back individually */
                        withheld: {
                            action: string;
                            /** @enum {string} */
                            reason: "fired" | "step_due" | "condition_ended" | "rule_gone" | "condition_began" | "trigger_not_met" | "match_failed" | "no_channel" | "while_broken" | "for_not_reached" | "event_too_old" | "already_acted" | "once_per_session" | "step_cancelled" | "rule_changed" | "superseded" | "too_many_waiting" | "warming_up" | "data_gap" | "paused" | "held" | "silenced" | "inhibited" | "cooldown" | "incident_open" | "min_gap" | "max_per_hour" | "max_live_percent" | "rule_stopped" | "awaiting_approval" | "approved" | "approval_rejected" | "approval_timed_out" | "session_over" | "too_many_approvals" | "recovering" | "template_failed";
                            values: {
                                [key: string]: string | number | boolean;
                            };
                        }[];
                        /** @description The same in a few words: `3 min after firing`, `on hold by mara: sponsor on air` */
                        words: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listDeliveries: {
        parameters: {
            query?: {
                /** @description `next` of the previous page */
                before?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deliveries": [
                     *         {
                     *           "id": "id",
                     *           "at": "2026-11-20T20:00:00.000Z",
                     *           "jobId": "rotate_stream_key-0123abcd",
                     *           "action": "action",
                     *           "host": "host",
                     *           "attempt": 1
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        deliveries: {
                            action: string;
                            /** Format: date-time */
                            at: string;
                            attempt: number;
                            error?: string;
                            host: string;
                            id: string;
                            jobId: string;
                            status?: number;
                        }[];
                        next?: string;
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listKeptEvents: {
        parameters: {
            query?: {
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "events": [
                     *         {
                     *           "id": "id",
                     *           "arrivedAt": "2026-11-20T20:00:00.000Z",
                     *           "reason": "no reason given",
                     *           "body": "body"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        events: {
                            /** Format: date-time */
                            arrivedAt: string;
                            /** @description As received, cut after a few thousand characters */
                            body: string;
                            id: string;
                            /** @description unknown_type, unknown_name, no_channel, other_account_or_region */
                            reason: string;
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listFleetSamples: {
        parameters: {
            query?: {
                /** @description A time, or how long ago */
                since?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accounts": [
                     *         {
                     *           "account": "main",
                     *           "samples": [
                     *             {
                     *               "at": "2026-11-20T20:00:00.000Z",
                     *               "live": 1,
                     *               "healthy": 1,
                     *               "starving": 1,
                     *               "unknown": 1,
                     *               "viewers": 1,
                     *               "uncounted": 1
                     *             }
                     *           ]
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        accounts: {
                            account: string;
                            /** @description Oldest first, one for each minute; a minute without a sample was not observed */
                            samples: {
                                /** Format: date-time */
                                at: string;
                                healthy: number;
                                live: number;
                                starving: number;
                                /** @description Live streams whose viewers IVS did not count */
                                uncounted: number;
                                unknown: number;
                                /** @description Sum over all counted streams */
                                viewers: number;
                            }[];
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** @description Accounts whose Redis could not be asked: the answer says nothing of them */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listHolds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "holds": [
                     *         {
                     *           "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *           "who": "token mara",
                     *           "reason": "no reason given",
                     *           "since": "2026-11-20T20:00:00.000Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        holds: {
                            channelArn: string;
                            reason: string;
                            /** Format: date-time */
                            since: string;
                            /** Format: date-time */
                            until?: string;
                            who: string;
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** @description Accounts whose Redis could not be asked: the answer says nothing of them */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    holdChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channelArn: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Released automatically after this long */
                    duration?: string;
                    /**
                     * @description With a reason for everybody who sees it
                     * @default no reason given
                     */
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *       "who": "token mara",
                     *       "reason": "no reason given",
                     *       "since": "2026-11-20T20:00:00.000Z"
                     *     }
                     */
                    "application/json": {
                        channelArn: string;
                        reason: string;
                        /** Format: date-time */
                        since: string;
                        /** Format: date-time */
                        until?: string;
                        who: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    releaseChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channelArn: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "released": true
                     *     }
                     */
                    "application/json": {
                        /** @enum {boolean} */
                        released: true;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listIncidents: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "incidents": [
                     *         {
                     *           "id": "id",
                     *           "kind": "aggregate",
                     *           "rule": "starving-slate",
                     *           "openedAt": "2026-11-20T20:00:00.000Z",
                     *           "affected": 1,
                     *           "peak": 1,
                     *           "live": 1,
                     *           "withheld": 1,
                     *           "text": "text"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        incidents: {
                            affected: number;
                            /** Format: date-time */
                            closedAt?: string;
                            id: string;
                            /** @enum {string} */
                            kind: "aggregate" | "cap";
                            live: number;
                            /** Format: date-time */
                            openedAt: string;
                            peak: number;
                            rule: string;
                            text: string;
                            /** @description Actions that were held back because of it */
                            withheld: number;
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** @description Accounts whose Redis could not be asked: the answer says nothing of them */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listIntents: {
        parameters: {
            query?: {
                channelArn?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "intents": [
                     *         {
                     *           "id": "id",
                     *           "kind": "set_recording",
                     *           "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *           "channelName": "studio-a",
                     *           "summary": "summary",
                     *           "since": "2026-11-20T20:00:00.000Z",
                     *           "cause": {},
                     *           "replaced": 1
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        intents: {
                            cause: unknown;
                            channelArn: string;
                            /** @description Empty: there is none, or it is unknown */
                            channelName: string;
                            id: string;
                            /** @enum {string} */
                            kind: "set_recording" | "rotate_stream_key" | "set_ad_configuration" | "set_playback_restriction";
                            /**
                             * Format: date-time
                             * @description When its job was enqueued
                             */
                            releasedAt?: string;
                            /** @description Earlier requests that this one replaced */
                            replaced: number;
                            /** Format: date-time */
                            since: string;
                            /** @description Such as "record with prod-s3" */
                            summary: string;
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    cancelIntent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channelArn: string;
                kind: "set_recording" | "rotate_stream_key" | "set_ad_configuration" | "set_playback_restriction";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "id",
                     *       "kind": "set_recording",
                     *       "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *       "channelName": "studio-a",
                     *       "summary": "summary",
                     *       "since": "2026-11-20T20:00:00.000Z",
                     *       "cause": {},
                     *       "replaced": 1
                     *     }
                     */
                    "application/json": {
                        cause: unknown;
                        channelArn: string;
                        /** @description Empty: there is none, or it is unknown */
                        channelName: string;
                        id: string;
                        /** @enum {string} */
                        kind: "set_recording" | "rotate_stream_key" | "set_ad_configuration" | "set_playback_restriction";
                        /**
                         * Format: date-time
                         * @description When its job was enqueued
                         */
                        releasedAt?: string;
                        /** @description Earlier requests that this one replaced */
                        replaced: number;
                        /** Format: date-time */
                        since: string;
                        /** @description Such as "record with prod-s3" */
                        summary: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    getJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The jobId */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "jobId": "rotate_stream_key-0123abcd",
                     *       "name": "name",
                     *       "state": "pending",
                     *       "cause": {},
                     *       "params": {},
                     *       "attempts": 1,
                     *       "steps": [
                     *         {
                     *           "step": "step",
                     *           "at": "2026-11-20T20:00:00.000Z"
                     *         }
                     *       ],
                     *       "checks": [
                     *         {
                     *           "check": "check",
                     *           "verdict": "passed",
                     *           "asked": {},
                     *           "found": {},
                     *           "at": "2026-11-20T20:00:00.000Z"
                     *         }
                     *       ],
                     *       "result": {}
                     *     }
                     */
                    "application/json": {
                        /** @description Includes failed runs that were repeated */
                        attempts: number;
                        cause: unknown;
                        channelArn?: string;
                        /** @description What was compared right before it acted, or did not, oldest first */
                        checks: {
                            asked: {
                                [key: string]: unknown;
                            };
                            /** Format: date-time */
                            at: string;
                            /** @description A guard, or a worker’s check right before it acted: pause, hold, session, only_if, live, … */
                            check: string;
                            found: {
                                [key: string]: unknown;
                            };
                            /** @enum {string} */
                            verdict: "passed" | "failed";
                        }[];
                        /** Format: date-time */
                        decidedAt?: string;
                        /** @description Id of the decision that caused it */
                        decisionId?: string;
                        /** @description The results of the items of a put_metadata, as (item, channel) pairs */
                        delivery?: {
                            batchId: string;
                            cancelled: number;
                            /** @description Replaced by a newer item with the same key */
                            conflated: number;
                            delivered: number;
                            expired: number;
                            failed: number;
                            /** Format: date-time */
                            finishedAt?: string;
                            notBroadcasting: number;
                            pending: number;
                            /** @description Why items did not arrive: codes and words */
                            reason?: string;
                        };
                        dryRun?: boolean;
                        error?: string;
                        /** Format: date-time */
                        finishedAt?: string;
                        jobId: string;
                        name: string;
                        params: unknown;
                        /** @description For an ended job: outcome, reason, before, after; for a dry run: calls */
                        result: unknown;
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** Format: date-time */
                        startedAt?: string;
                        /**
                         * @description pending: decided and stored, not in the queue yet
                         * @enum {string}
                         */
                        state: "pending" | "waiting" | "delayed" | "active" | "completed" | "failed";
                        /** @description Oldest first */
                        steps: ({
                            /** Format: date-time */
                            at: string;
                            step: string;
                        } & {
                            [key: string]: unknown;
                        })[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    resendJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The jobId */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /** @example {} */
                "application/json": Record<string, never> | null;
            };
        };
        responses: {
            /** @description Default Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "jobId": "rotate_stream_key-0123abcd"
                     *     }
                     */
                    "application/json": {
                        jobId: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "keys": [
                     *         {
                     *           "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *           "channelName": "studio-a",
                     *           "since": "2026-11-20T20:00:00.000Z",
                     *           "exact": true,
                     *           "ageDays": 1
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        keys: {
                            ageDays: number;
                            channelArn: string;
                            channelName: string;
                            deliveredTo?: string;
                            /** @description true: created at that time; false: first found by an audit at that time */
                            exact: boolean;
                            /**
                             * Format: date-time
                             * @description For a key that was rotated here
                             */
                            rotatedAt?: string;
                            /**
                             * Format: date-time
                             * @description The key is at least as old
                             */
                            since: string;
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    followLive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description `hello`, `status`, `rows`, `ready`, `delta` and `problem`, each as JSON */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example event: hello
                     *     data: {"version":"0.1.0","caller":{"name":"mara","role":"operator"}}
                     */
                    "text/event-stream": string;
                };
            };
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listBatches: {
        parameters: {
            query?: {
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "batches": [
                     *         {
                     *           "batchId": "b-0123abcd",
                     *           "who": "token mara",
                     *           "state": "running",
                     *           "lane": "urgent",
                     *           "channels": 1,
                     *           "items": 1,
                     *           "total": 1,
                     *           "counts": {
                     *             "pending": 1,
                     *             "delivered": 1,
                     *             "conflated": 1,
                     *             "expired": 1,
                     *             "notBroadcasting": 1,
                     *             "failed": 1,
                     *             "cancelled": 1
                     *           },
                     *           "failures": {},
                     *           "skipped": [
                     *             {
                     *               "reason": "duplicate",
                     *               "count": 1,
                     *               "examples": [
                     *                 "example"
                     *               ]
                     *             }
                     *           ],
                     *           "contents": [
                     *             {
                     *               "payload": "payload"
                     *             }
                     *           ],
                     *           "startedAt": "2026-11-20T20:00:00.000Z",
                     *           "finishedAt": "2026-11-20T20:00:00.000Z",
                     *           "etaSeconds": 1
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        batches: {
                            batchId: string;
                            channels: number;
                            /** @description The first items, as many as fit into 4 kB */
                            readonly contents: {
                                key?: string;
                                payload: string | {
                                    [key: string]: unknown;
                                };
                            }[];
                            counts: {
                                cancelled: number;
                                /** @description Replaced by a newer item with the same key before they were sent */
                                conflated: number;
                                delivered: number;
                                expired: number;
                                failed: number;
                                notBroadcasting: number;
                                pending: number;
                            };
                            etaSeconds: number | null;
                            /** @description Why items failed, by error code */
                            failures: {
                                [key: string]: number;
                            };
                            finishedAt: string | null;
                            items: number;
                            /** @enum {string} */
                            lane: "urgent" | "normal" | "bulk";
                            /** @description Channels that were left out, and why */
                            readonly skipped: {
                                count: number;
                                /** @description At most 20 of them */
                                readonly examples: string[];
                                /** @enum {string} */
                                reason: "duplicate" | "other_account_or_region" | "not_live" | "held" | "queue_full";
                            }[];
                            /** Format: date-time */
                            startedAt: string;
                            /** @enum {string} */
                            state: "running" | "cancelling" | "finished" | "cancelled";
                            /** @description Items times channels; the counts add up to it */
                            total: number;
                            /** @description Who sent it */
                            who: string;
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    sendMetadata: {
        parameters: {
            query?: {
                /** @description Name of the account in the configuration; default: that of the channels, or the first */
                account?: string;
            };
            header?: {
                /** @description Repeating a request with the same key returns the same answer and sends nothing twice */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Returns the plan and accepts nothing */
                    dryRun?: boolean;
                    items: {
                        /** @description Not sent after this long */
                        expiresInMs?: number;
                        /** @description A newer item with the same key replaces an older unsent one of the channel, and keeps its place */
                        key?: string;
                        /** @description Text, or an object that is sent as JSON; at most about 960 bytes, since a call carries 1,024 */
                        payload: string | {
                            [key: string]: unknown;
                        };
                    }[];
                    /**
                     * @description Priority of the items. Default: normal
                     * @enum {string}
                     */
                    lane?: "urgent" | "normal" | "bulk";
                    /** @description Exactly one of channelArns, live and tags */
                    targets: {
                        /** @description These channels */
                        channelArns?: string[];
                        /**
                         * @description Every channel with a live stream
                         * @enum {boolean}
                         */
                        live?: true;
                        /** @description Live channels that have, for each of these tag keys, one of its values; at least one key */
                        tags?: {
                            [key: string]: string[];
                        };
                    };
                };
            };
        };
        responses: {
            /** @description Without batchId: the plan of a dry run */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "batchId": "b-0123abcd",
                     *       "channels": 9987,
                     *       "items": 1,
                     *       "plannedCalls": 9987,
                     *       "estimatedSeconds": 64.5,
                     *       "skipped": [
                     *         {
                     *           "reason": "held",
                     *           "count": 1,
                     *           "examples": [
                     *             "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl"
                     *           ]
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        batchId?: string;
                        /** @description UTF-8 bytes of metadata, including the envelope of packed items; only in the plan of a dry run */
                        bytes?: {
                            /** @description In the largest call */
                            largestCall: number;
                            /** @description What one call can carry */
                            mostInCall: number;
                            /** @description In all planned calls together */
                            total: number;
                        };
                        /** @description Channels that get the items */
                        channels: number;
                        estimatedSeconds: number;
                        items: number;
                        /** @description PutMetadata calls if no item shares a call with another batch */
                        plannedCalls: number;
                        readonly skipped: {
                            count: number;
                            /** @description At most 20 of them */
                            readonly examples: string[];
                            /** @enum {string} */
                            reason: "duplicate" | "other_account_or_region" | "not_live" | "held" | "queue_full";
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["TooLarge"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    getBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The batchId */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "batchId": "b-0123abcd",
                     *       "who": "token mara",
                     *       "state": "running",
                     *       "lane": "normal",
                     *       "channels": 9987,
                     *       "items": 1,
                     *       "total": 9987,
                     *       "counts": {
                     *         "pending": 6400,
                     *         "delivered": 3500,
                     *         "conflated": 0,
                     *         "expired": 0,
                     *         "notBroadcasting": 80,
                     *         "failed": 7,
                     *         "cancelled": 0
                     *       },
                     *       "failures": {
                     *         "IVS_NOT_FOUND": 7
                     *       },
                     *       "skipped": [
                     *         {
                     *           "reason": "held",
                     *           "count": 1,
                     *           "examples": [
                     *             "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl"
                     *           ]
                     *         }
                     *       ],
                     *       "contents": [
                     *         {
                     *           "payload": {
                     *             "type": "poll",
                     *             "id": 17
                     *           }
                     *         }
                     *       ],
                     *       "startedAt": "2026-11-20T20:00:00.000Z",
                     *       "finishedAt": null,
                     *       "etaSeconds": 41.3
                     *     }
                     */
                    "application/json": {
                        batchId: string;
                        channels: number;
                        /** @description The first items, as many as fit into 4 kB */
                        readonly contents: {
                            key?: string;
                            payload: string | {
                                [key: string]: unknown;
                            };
                        }[];
                        counts: {
                            cancelled: number;
                            /** @description Replaced by a newer item with the same key before they were sent */
                            conflated: number;
                            delivered: number;
                            expired: number;
                            failed: number;
                            notBroadcasting: number;
                            pending: number;
                        };
                        etaSeconds: number | null;
                        /** @description Why items failed, by error code */
                        failures: {
                            [key: string]: number;
                        };
                        finishedAt: string | null;
                        items: number;
                        /** @enum {string} */
                        lane: "urgent" | "normal" | "bulk";
                        /** @description Channels that were left out, and why */
                        readonly skipped: {
                            count: number;
                            /** @description At most 20 of them */
                            readonly examples: string[];
                            /** @enum {string} */
                            reason: "duplicate" | "other_account_or_region" | "not_live" | "held" | "queue_full";
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** Format: date-time */
                        startedAt: string;
                        /** @enum {string} */
                        state: "running" | "cancelling" | "finished" | "cancelled";
                        /** @description Items times channels; the counts add up to it */
                        total: number;
                        /** @description Who sent it */
                        who: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    cancelBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The batchId */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "batchId": "b-0123abcd",
                     *       "who": "token mara",
                     *       "state": "cancelling",
                     *       "lane": "normal",
                     *       "channels": 9987,
                     *       "items": 1,
                     *       "total": 9987,
                     *       "counts": {
                     *         "pending": 6400,
                     *         "delivered": 3500,
                     *         "conflated": 0,
                     *         "expired": 0,
                     *         "notBroadcasting": 80,
                     *         "failed": 7,
                     *         "cancelled": 0
                     *       },
                     *       "failures": {
                     *         "IVS_NOT_FOUND": 7
                     *       },
                     *       "skipped": [
                     *         {
                     *           "reason": "held",
                     *           "count": 1,
                     *           "examples": [
                     *             "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl"
                     *           ]
                     *         }
                     *       ],
                     *       "contents": [
                     *         {
                     *           "payload": {
                     *             "type": "poll",
                     *             "id": 17
                     *           }
                     *         }
                     *       ],
                     *       "startedAt": "2026-11-20T20:00:00.000Z",
                     *       "finishedAt": null,
                     *       "etaSeconds": 41.3
                     *     }
                     */
                    "application/json": {
                        batchId: string;
                        channels: number;
                        /** @description The first items, as many as fit into 4 kB */
                        readonly contents: {
                            key?: string;
                            payload: string | {
                                [key: string]: unknown;
                            };
                        }[];
                        counts: {
                            cancelled: number;
                            /** @description Replaced by a newer item with the same key before they were sent */
                            conflated: number;
                            delivered: number;
                            expired: number;
                            failed: number;
                            notBroadcasting: number;
                            pending: number;
                        };
                        etaSeconds: number | null;
                        /** @description Why items failed, by error code */
                        failures: {
                            [key: string]: number;
                        };
                        finishedAt: string | null;
                        items: number;
                        /** @enum {string} */
                        lane: "urgent" | "normal" | "bulk";
                        /** @description Channels that were left out, and why */
                        readonly skipped: {
                            count: number;
                            /** @description At most 20 of them */
                            readonly examples: string[];
                            /** @enum {string} */
                            reason: "duplicate" | "other_account_or_region" | "not_live" | "held" | "queue_full";
                        }[];
                        /** Format: date-time */
                        startedAt: string;
                        /** @enum {string} */
                        state: "running" | "cancelling" | "finished" | "cancelled";
                        /** @description Items times channels; the counts add up to it */
                        total: number;
                        /** @description Who sent it */
                        who: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    followBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The batchId */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description `progress` and, as the last one, `finished`, both with what GET …/{id} answers; `gone` if the batch is no longer known */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example event: progress
                     *     data: {"batchId":"b-0123abcd","who":"token mara","state":"running","lane":"normal","channels":9987,"items":1,"total":9987,"counts":{"pending":6400,"delivered":3500,"conflated":0,"expired":0,"notBroadcasting":80,"failed":7,"cancelled":0},"failures":{"IVS_NOT_FOUND":7},"skipped":[{"reason":"held","count":1,"examples":["arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl"]}],"contents":[{"payload":{"type":"poll","id":17}}],"startedAt":"2026-11-20T20:00:00.000Z","finishedAt":null,"etaSeconds":41.3}
                     */
                    "text/event-stream": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    getPause: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "paused": true
                     *     }
                     */
                    "application/json": {
                        /** @description Further pauses; a resume ends them all */
                        alsoPausedBy?: {
                            reason: string;
                            /** Format: date-time */
                            since: string;
                            who: string;
                        }[];
                        /** @description What that means */
                        note?: string;
                        paused: boolean;
                        /** @description `state_lost`: the daemon paused itself */
                        reason?: string;
                        /** Format: date-time */
                        since?: string;
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** @description What happened and what to do, if the daemon paused itself */
                        text?: string;
                        /** @description Accounts whose Redis could not be asked: the answer says nothing of them */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                        who?: string;
                        /**
                         * @description Redis is away: only the replica that was asked knows this
                         * @enum {boolean}
                         */
                        written?: false;
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    pauseAutomation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description With a reason for everybody who sees it */
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "paused": true
                     *     }
                     */
                    "application/json": {
                        /** @description Further pauses; a resume ends them all */
                        alsoPausedBy?: {
                            reason: string;
                            /** Format: date-time */
                            since: string;
                            who: string;
                        }[];
                        /** @description What that means */
                        note?: string;
                        paused: boolean;
                        /** @description `state_lost`: the daemon paused itself */
                        reason?: string;
                        /** Format: date-time */
                        since?: string;
                        /** @description What happened and what to do, if the daemon paused itself */
                        text?: string;
                        /** @description Accounts whose Redis could not be asked: the answer says nothing of them */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                        who?: string;
                        /**
                         * @description Redis is away: only the replica that was asked knows this
                         * @enum {boolean}
                         */
                        written?: false;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    getQuota: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "shards": [
                     *         {
                     *           "shard": "shard",
                     *           "accountId": "accountId",
                     *           "region": "us-west-2",
                     *           "at": "at",
                     *           "operations": [
                     *             {
                     *               "operation": "operation",
                     *               "perAccount": 1,
                     *               "perChannel": 1,
                     *               "inUse": 1,
                     *               "outOfService": 1,
                     *               "headroom": 1,
                     *               "granted": 1,
                     *               "calls": 1,
                     *               "throttles": 1,
                     *               "sinceThrottleMs": 1,
                     *               "slowedChannels": 1,
                     *               "slowed": [
                     *                 {
                     *                   "channelId": "channelId",
                     *                   "forMs": 1
                     *                 }
                     *               ],
                     *               "hottest": [
                     *                 {
                     *                   "channelId": "channelId",
                     *                   "inUse": 1
                     *                 }
                     *               ]
                     *             }
                     *           ],
                     *           "waiting": [
                     *             {
                     *               "operation": "operation",
                     *               "lane": "lane",
                     *               "calls": 1,
                     *               "oldestMs": 1
                     *             }
                     *           ],
                     *           "sinceThrottleMs": 1,
                     *           "fenceMs": 1
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        shards: {
                            accountId: string | null;
                            at: string;
                            /** @description Above 0: the ledger is new and grants nothing for this long */
                            fenceMs: number;
                            operations: {
                                /** @description Calls sent since the ledger began that have ended */
                                calls: number;
                                /** @description Permits granted since the ledger began; some came back unused */
                                granted: number;
                                /** @description Calls that could be sent at once */
                                headroom: number;
                                hottest: {
                                    channelId: string;
                                    inUse: number;
                                }[];
                                /** @description Calls in flight, or answered within the last second, over all replicas */
                                inUse: number;
                                operation: string;
                                /** @description Slots of the account withheld after throttling */
                                outOfService: number;
                                /** @description Calls per second */
                                perAccount: number;
                                /** @description Calls per second of one channel */
                                perChannel: number | null;
                                /** @description Time since the last throttle */
                                sinceThrottleMs: number | null;
                                /** @description The ten that have been slowed down for longest */
                                slowed: {
                                    channelId: string;
                                    forMs: number;
                                }[];
                                /** @description Channels with slots of their own withheld after throttling */
                                slowedChannels: number;
                                /** @description Calls that AWS throttled since the ledger began, over all replicas */
                                throttles: number;
                            }[];
                            region: string;
                            shard: string;
                            /** @description Time since the last throttle of any operation */
                            sinceThrottleMs: number | null;
                            /** @description Calls that wait for a permit, in the replica that answers */
                            waiting: {
                                calls: number;
                                lane: string;
                                oldestMs: number;
                                operation: string;
                            }[];
                        }[];
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listReceivers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "receivers": [
                     *         {
                     *           "name": "name",
                     *           "integrations": [
                     *             "integration"
                     *           ],
                     *           "grouped": true
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        receivers: {
                            /** @description Whether messages that rules send to it by name are grouped */
                            grouped: boolean;
                            /** @description As in the configuration: `slack_configs[0]` */
                            integrations: string[];
                            name: string;
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    testReceiver: {
        parameters: {
            query?: {
                /** @description Account whose workers send it. Default: the first */
                account?: string;
            };
            header?: never;
            path: {
                receiver: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /** @example {} */
                "application/json": Record<string, never> | null;
            };
        };
        responses: {
            /** @description Default Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "jobId": "rotate_stream_key-0123abcd"
                     *     }
                     */
                    "application/json": {
                        jobId: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listReplicas: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "replicas": [
                     *         {
                     *           "id": "id",
                     *           "account": "main",
                     *           "self": true,
                     *           "version": "version",
                     *           "configHash": "5f3c0a9e",
                     *           "role": "role",
                     *           "startedAt": "2026-11-20T20:00:00.000Z",
                     *           "seenAt": "2026-11-20T20:00:00.000Z"
                     *         }
                     *       ],
                     *       "differences": [
                     *         {
                     *           "account": "main",
                     *           "by": "configuration",
                     *           "text": "text"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        differences: {
                            account: string;
                            /** @enum {string} */
                            by: "configuration" | "version" | "clock";
                            text: string;
                        }[];
                        replicas: {
                            account: string;
                            /** @description Its clock minus Redis’s */
                            clockOffsetMs?: number;
                            configHash: string;
                            /** @description Id of this process; new at each start */
                            id: string;
                            role: string;
                            /** Format: date-time */
                            seenAt: string;
                            /** @description The replica that answers */
                            self: boolean;
                            /** Format: date-time */
                            startedAt: string;
                            version: string;
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    getReports: {
        parameters: {
            query: {
                /** @description For `md` and `html` the answer is text of that type */
                format?: "md" | "html" | "json";
                /** @description `show=finals`; if no channel has it, the report has no sessions */
                tag: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "version": 1,
                     *       "title": "title",
                     *       "madeAt": "2026-11-20T20:00:00.000Z",
                     *       "sessions": [
                     *         {
                     *           "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *           "channelName": "studio-a",
                     *           "streamId": "st-1AbCdEfGhIjKlMnOpQrStUv",
                     *           "state": "created",
                     *           "health": {
                     *             "healthySeconds": 1,
                     *             "starvingSeconds": 1,
                     *             "unknownSeconds": 1,
                     *             "unseenSeconds": 1,
                     *             "starving": [
                     *               {
                     *                 "from": "2026-11-20T20:00:00.000Z"
                     *               }
                     *             ]
                     *           },
                     *           "viewers": {},
                     *           "samples": [
                     *             {
                     *               "at": "2026-11-20T20:00:00.000Z",
                     *               "health": "HEALTHY"
                     *             }
                     *           ],
                     *           "limitBreaches": [
                     *             {
                     *               "at": "2026-11-20T20:00:00.000Z",
                     *               "limitName": "limitName"
                     *             }
                     *           ],
                     *           "actions": [
                     *             {
                     *               "at": "2026-11-20T20:00:00.000Z",
                     *               "rule": "starving-slate",
                     *               "action": "action",
                     *               "jobId": "rotate_stream_key-0123abcd"
                     *             }
                     *           ],
                     *           "withheld": [
                     *             {
                     *               "at": "2026-11-20T20:00:00.000Z",
                     *               "rule": "starving-slate",
                     *               "reason": "no reason given",
                     *               "meaning": "meaning"
                     *             }
                     *           ],
                     *           "operators": [
                     *             {
                     *               "at": "2026-11-20T20:00:00.000Z",
                     *               "who": "token mara",
                     *               "what": "what",
                     *               "outcome": "outcome",
                     *               "why": "why"
                     *             }
                     *           ],
                     *           "cues": {
                     *             "jobs": 1,
                     *             "delivered": 1,
                     *             "expired": 1,
                     *             "failed": 1,
                     *             "notSent": 1
                     *           },
                     *           "adBreaks": [
                     *             {
                     *               "id": "id",
                     *               "startsAt": "2026-11-20T20:00:00.000Z",
                     *               "endsAt": "2026-11-20T20:00:00.000Z"
                     *             }
                     *           ],
                     *           "recording": {
                     *             "state": "none"
                     *           },
                     *           "timeline": [
                     *             {
                     *               "at": "2026-11-20T20:00:00.000Z",
                     *               "source": "source",
                     *               "name": "name",
                     *               "text": "text"
                     *             }
                     *           ]
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description Channels beyond the first fifty */
                        leftOut?: number;
                        /** Format: date-time */
                        madeAt: string;
                        sessions: {
                            actions: {
                                action: string;
                                /** Format: date-time */
                                at: string;
                                detail?: string;
                                jobId: string;
                                /** @description Omitted: it has not ended */
                                outcome?: string;
                                rule: string;
                            }[];
                            adBreaks: {
                                /** Format: date-time */
                                endsAt: string;
                                id: string;
                                /** Format: date-time */
                                startsAt: string;
                            }[];
                            channelArn: string;
                            channelName: string;
                            /** @description Timed metadata of rules */
                            cues: {
                                delivered: number;
                                expired: number;
                                failed: number;
                                jobs: number;
                                notSent: number;
                            };
                            durationSeconds?: number;
                            /** Format: date-time */
                            endedAt?: string;
                            /** @enum {boolean} */
                            endedAtLatest?: true;
                            endReason?: string;
                            /** @description Lists that reached their limit, so that there may be more */
                            full?: ("starving" | "limitBreaches" | "adBreaks" | "actions" | "withheld" | "operators" | "timeline")[];
                            health: {
                                healthySeconds: number;
                                starving: {
                                    /** Format: date-time */
                                    from: string;
                                    /** @enum {boolean} */
                                    ongoing?: true;
                                    /**
                                     * Format: date-time
                                     * @description Omitted: not observed, or still running
                                     */
                                    to?: string;
                                }[];
                                starvingSeconds: number;
                                unknownSeconds: number;
                                /** @description Nobody looked */
                                unseenSeconds: number;
                            };
                            /** @description Omitted: the session was not captured */
                            hints?: string[];
                            /**
                             * @description Part of the journal and the audit was not searched
                             * @enum {boolean}
                             */
                            incomplete?: true;
                            /**
                             * Format: date-time
                             * @description When an unobserved part of the session was read afterwards
                             */
                            learntAt?: string;
                            limitBreaches: {
                                /** Format: date-time */
                                at: string;
                                exceededBy?: number;
                                limitName: string;
                                limitUnit?: string;
                                limitValue?: number;
                            }[];
                            operators: {
                                /** Format: date-time */
                                at: string;
                                outcome: string;
                                what: string;
                                who: string;
                                why: string;
                            }[];
                            recording: {
                                prefix?: string;
                                /** Format: date-time */
                                since?: string;
                                /** @enum {string} */
                                state: "none" | "recording" | "ended" | "failed";
                            };
                            /** @description At most 720: for a long session, each combines several samples (most viewers, worst health) */
                            samples: {
                                /** Format: date-time */
                                at: string;
                                /** @enum {string} */
                                health: "HEALTHY" | "STARVING" | "UNKNOWN";
                                viewers?: number;
                            }[];
                            /** Format: date-time */
                            startedAt?: string;
                            /** @enum {string} */
                            state: "created" | "live" | "ended" | "failed";
                            stoppedBy?: string;
                            streamId: string;
                            timeline: {
                                /** Format: date-time */
                                at: string;
                                name: string;
                                source: string;
                                text: string;
                            }[];
                            viewers: {
                                average?: number;
                                peak?: {
                                    /** Format: date-time */
                                    at: string;
                                    viewers: number;
                                };
                            };
                            withheld: {
                                action?: string;
                                /** Format: date-time */
                                at: string;
                                meaning: string;
                                reason: string;
                                rule: string;
                            }[];
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        title: string;
                        /** @enum {number} */
                        version: 1;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    resumeAutomation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description With a reason for everybody who sees it */
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "paused": true
                     *     }
                     */
                    "application/json": {
                        /** @description Further pauses; a resume ends them all */
                        alsoPausedBy?: {
                            reason: string;
                            /** Format: date-time */
                            since: string;
                            who: string;
                        }[];
                        /** @description What that means */
                        note?: string;
                        paused: boolean;
                        /** @description `state_lost`: the daemon paused itself */
                        reason?: string;
                        /** Format: date-time */
                        since?: string;
                        /** @description What happened and what to do, if the daemon paused itself */
                        text?: string;
                        /** @description Accounts whose Redis could not be asked: the answer says nothing of them */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                        who?: string;
                        /**
                         * @description Redis is away: only the replica that was asked knows this
                         * @enum {boolean}
                         */
                        written?: false;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listRules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "hash": "5f3c0a9e",
                     *       "rules": [
                     *         {
                     *           "name": "name",
                     *           "mode": "enforce",
                     *           "trigger": "trigger",
                     *           "actions": [
                     *             "action"
                     *           ],
                     *           "onResolve": [
                     *             "onResolve"
                     *           ],
                     *           "hash": "5f3c0a9e",
                     *           "waiting": 1,
                     *           "firing": 1,
                     *           "heldBack": 1
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        hash: string;
                        rules: {
                            actions: string[];
                            description?: string;
                            /** @description Channels (or groups) whose condition has lasted and that the rule has acted on */
                            firing: number;
                            hash: string;
                            /** @description Channels (or groups) whose condition has lasted but that a guard holds back */
                            heldBack: number;
                            /** @description Metadata items that it sent, by their result on each channel */
                            items?: {
                                [key: string]: number;
                            };
                            /** @description Decisions by outcome; only for a single rule */
                            last24h?: {
                                [key: string]: number;
                            };
                            /** @enum {string} */
                            mode: "enforce" | "dry_run" | "off";
                            name: string;
                            onResolve: string[];
                            /** @description Changes a rule from dry run to enforce. Absent if no single line of the file sets its mode */
                            patch?: {
                                file: string;
                                /** @description Line that changes, from 1 */
                                line: number;
                                /** @description A unified diff, for `patch -p1` or `git apply` */
                                text: string;
                            };
                            /** @description It has reached max_per_hour */
                            rateReached?: {
                                /** Format: date-time */
                                since: string;
                                text: string;
                            };
                            /** @description By max_live_percent; POST …/reset starts it again */
                            stopped?: {
                                /** Format: date-time */
                                since: string;
                                text: string;
                            };
                            trigger: string;
                            /** @description Channels (or groups) for which `for` runs */
                            waiting: number;
                            /** @description What a rule in dry run would have done in the last 24 hours, from the journal; only for a single rule */
                            wouldHave?: {
                                /** @description By action */
                                actions: {
                                    [key: string]: number;
                                };
                                /** @description How often a guard would have held it back, by the reason */
                                heldBack: {
                                    [key: string]: number;
                                };
                                /** @description At most 10 */
                                newest: {
                                    actions: string[];
                                    /** Format: date-time */
                                    at: string;
                                    channelArn?: string;
                                    channelName?: string;
                                    /** @description On how many channels at that moment */
                                    count: number;
                                    decisionId: string;
                                }[];
                                /** @description Part of the journal was not searched */
                                partial: boolean;
                                /** @description How often, on all channels together */
                                times: number;
                            };
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    getRule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                rule: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "name": "name",
                     *       "mode": "enforce",
                     *       "trigger": "trigger",
                     *       "actions": [
                     *         "action"
                     *       ],
                     *       "onResolve": [
                     *         "onResolve"
                     *       ],
                     *       "hash": "5f3c0a9e",
                     *       "waiting": 1,
                     *       "firing": 1,
                     *       "heldBack": 1
                     *     }
                     */
                    "application/json": {
                        actions: string[];
                        description?: string;
                        /** @description Channels (or groups) whose condition has lasted and that the rule has acted on */
                        firing: number;
                        hash: string;
                        /** @description Channels (or groups) whose condition has lasted but that a guard holds back */
                        heldBack: number;
                        /** @description Metadata items that it sent, by their result on each channel */
                        items?: {
                            [key: string]: number;
                        };
                        /** @description Decisions by outcome; only for a single rule */
                        last24h?: {
                            [key: string]: number;
                        };
                        /** @enum {string} */
                        mode: "enforce" | "dry_run" | "off";
                        name: string;
                        onResolve: string[];
                        /** @description Changes a rule from dry run to enforce. Absent if no single line of the file sets its mode */
                        patch?: {
                            file: string;
                            /** @description Line that changes, from 1 */
                            line: number;
                            /** @description A unified diff, for `patch -p1` or `git apply` */
                            text: string;
                        };
                        /** @description It has reached max_per_hour */
                        rateReached?: {
                            /** Format: date-time */
                            since: string;
                            text: string;
                        };
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** @description By max_live_percent; POST …/reset starts it again */
                        stopped?: {
                            /** Format: date-time */
                            since: string;
                            text: string;
                        };
                        trigger: string;
                        /** @description Channels (or groups) for which `for` runs */
                        waiting: number;
                        /** @description What a rule in dry run would have done in the last 24 hours, from the journal; only for a single rule */
                        wouldHave?: {
                            /** @description By action */
                            actions: {
                                [key: string]: number;
                            };
                            /** @description How often a guard would have held it back, by the reason */
                            heldBack: {
                                [key: string]: number;
                            };
                            /** @description At most 10 */
                            newest: {
                                actions: string[];
                                /** Format: date-time */
                                at: string;
                                channelArn?: string;
                                channelName?: string;
                                /** @description On how many channels at that moment */
                                count: number;
                                decisionId: string;
                            }[];
                            /** @description Part of the journal was not searched */
                            partial: boolean;
                            /** @description How often, on all channels together */
                            times: number;
                        };
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    explainRule: {
        parameters: {
            query?: {
                /** @description Only journal entries since then: a time, or how long ago, such as 8h */
                since?: string;
            };
            header?: never;
            path: {
                channelArn: string;
                rule: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "rule": "starving-slate",
                     *       "mode": "enforce",
                     *       "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *       "channelName": "studio-a",
                     *       "state": "off",
                     *       "reason": "fired",
                     *       "sentence": "sentence",
                     *       "remedy": "remedy",
                     *       "values": {},
                     *       "due": [
                     *         {
                     *           "action": "action",
                     *           "at": "2026-11-20T20:00:00.000Z"
                     *         }
                     *       ],
                     *       "guards": [
                     *         {
                     *           "guard": "guard",
                     *           "passed": true,
                     *           "values": {}
                     *         }
                     *       ],
                     *       "checks": [
                     *         {
                     *           "check": "check",
                     *           "verdict": "passed",
                     *           "asked": {},
                     *           "found": {},
                     *           "at": "2026-11-20T20:00:00.000Z"
                     *         }
                     *       ],
                     *       "muted": [
                     *         {
                     *           "action": "action",
                     *           "reason": "fired",
                     *           "values": {}
                     *         }
                     *       ],
                     *       "decisions": [
                     *         {
                     *           "id": "id",
                     *           "at": "2026-11-20T20:00:00.000Z",
                     *           "rule": "starving-slate",
                     *           "mode": "enforce",
                     *           "outcome": "acted",
                     *           "reason": "fired",
                     *           "words": "words",
                     *           "meaning": "meaning",
                     *           "group": "group",
                     *           "cause": "cause",
                     *           "count": 1,
                     *           "trigger": {
                     *             "kind": "kind",
                     *             "since": "2026-11-20T20:00:00.000Z",
                     *             "text": "text",
                     *             "values": {}
                     *           },
                     *           "guards": [
                     *             {
                     *               "guard": "guard",
                     *               "passed": true,
                     *               "values": {}
                     *             }
                     *           ],
                     *           "jobs": [
                     *             {
                     *               "jobId": "rotate_stream_key-0123abcd",
                     *               "action": "action"
                     *             }
                     *           ],
                     *           "checks": [
                     *             {
                     *               "check": "check",
                     *               "verdict": "passed",
                     *               "asked": {},
                     *               "found": {},
                     *               "at": "2026-11-20T20:00:00.000Z"
                     *             }
                     *           ],
                     *           "withheld": [
                     *             {
                     *               "action": "action",
                     *               "reason": "fired",
                     *               "values": {}
                     *             }
                     *           ]
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        channelArn: string;
                        channelName: string;
                        /** @description The same guards, as of now, as entries like those of decisions */
                        checks: {
                            asked: {
                                [key: string]: unknown;
                            };
                            /** Format: date-time */
                            at: string;
                            /** @description A guard, or a worker’s check right before it acted: pause, hold, session, only_if, live, … */
                            check: string;
                            found: {
                                [key: string]: unknown;
                            };
                            /** @enum {string} */
                            verdict: "passed" | "failed";
                        }[];
                        /** @description The newest decisions of the rule about the channel */
                        decisions: {
                            /** @description For an action with `after`: how long that is */
                            afterMs?: number;
                            /** Format: date-time */
                            at: string;
                            cause: string;
                            channelArn?: string;
                            channelName?: string;
                            /** @description Every compared value, in order: guards, what was held back, and what the jobs found */
                            checks: {
                                asked: {
                                    [key: string]: unknown;
                                };
                                /** Format: date-time */
                                at: string;
                                /** @description A guard, or a worker’s check right before it acted: pause, hold, session, only_if, live, … */
                                check: string;
                                found: {
                                    [key: string]: unknown;
                                };
                                jobId?: string;
                                /** @enum {string} */
                                verdict: "passed" | "failed";
                            }[];
                            /** @description Hash of the configuration that decided */
                            configHash?: string;
                            /** @description How many channels with the same decision at that moment share this entry */
                            count: number;
                            /** @description If the entry covers many channels: the one whose stream, trigger and values are shown */
                            example?: {
                                channelArn?: string;
                                channelName?: string;
                            };
                            group: string;
                            /** @description In the order of checking; the first that did not pass decided */
                            guards: {
                                guard: string;
                                passed: boolean;
                                values: {
                                    [key: string]: string | number | boolean;
                                };
                            }[];
                            id: string;
                            jobs: {
                                action: string;
                                /** @description What the worker compared right before it acted, or did not */
                                checks?: {
                                    asked: {
                                        [key: string]: unknown;
                                    };
                                    /** Format: date-time */
                                    at: string;
                                    /** @description A guard, or a worker’s check right before it acted: pause, hold, session, only_if, live, … */
                                    check: string;
                                    found: {
                                        [key: string]: unknown;
                                    };
                                    /** @enum {string} */
                                    verdict: "passed" | "failed";
                                }[];
                                /** @description The results of the items of a put_metadata, as (item, channel) pairs */
                                delivery?: {
                                    batchId: string;
                                    cancelled: number;
                                    /** @description Replaced by a newer item with the same key */
                                    conflated: number;
                                    delivered: number;
                                    expired: number;
                                    failed: number;
                                    /** Format: date-time */
                                    finishedAt?: string;
                                    notBroadcasting: number;
                                    pending: number;
                                    /** @description Why items did not arrive: codes and words */
                                    reason?: string;
                                };
                                detail?: string;
                                /** @description If `mode` is not `enforce`, no job was requested: the id that it would have had */
                                jobId: string;
                                /** @description Its result, once it has ended */
                                outcome?: string;
                            }[];
                            /** @description The reason in a sentence */
                            meaning: string;
                            /** @enum {string} */
                            mode: "enforce" | "dry_run" | "off";
                            /** @enum {string} */
                            outcome: "acted" | "would_act" | "pending" | "not_fired" | "suppressed" | "resolved";
                            /** @enum {string} */
                            reason: "fired" | "step_due" | "condition_ended" | "rule_gone" | "condition_began" | "trigger_not_met" | "match_failed" | "no_channel" | "while_broken" | "for_not_reached" | "event_too_old" | "already_acted" | "once_per_session" | "step_cancelled" | "rule_changed" | "superseded" | "too_many_waiting" | "warming_up" | "data_gap" | "paused" | "held" | "silenced" | "inhibited" | "cooldown" | "incident_open" | "min_gap" | "max_per_hour" | "max_live_percent" | "rule_stopped" | "awaiting_approval" | "approved" | "approval_rejected" | "approval_timed_out" | "session_over" | "too_many_approvals" | "recovering" | "template_failed";
                            rule: string;
                            streamId?: string;
                            trigger: {
                                kind: string;
                                /** Format: date-time */
                                since: string;
                                text: string;
                                values: {
                                    [key: string]: string | number | boolean;
                                };
                            };
                            /** @description Actions that were held back individually */
                            withheld: {
                                action: string;
                                /** @enum {string} */
                                reason: "fired" | "step_due" | "condition_ended" | "rule_gone" | "condition_began" | "trigger_not_met" | "match_failed" | "no_channel" | "while_broken" | "for_not_reached" | "event_too_old" | "already_acted" | "once_per_session" | "step_cancelled" | "rule_changed" | "superseded" | "too_many_waiting" | "warming_up" | "data_gap" | "paused" | "held" | "silenced" | "inhibited" | "cooldown" | "incident_open" | "min_gap" | "max_per_hour" | "max_live_percent" | "rule_stopped" | "awaiting_approval" | "approved" | "approval_rejected" | "approval_timed_out" | "session_over" | "too_many_approvals" | "recovering" | "template_failed";
                                values: {
                                    [key: string]: string | number | boolean;
                                };
                            }[];
                            /** @description The same in a few words: `3 min after firing`, `on hold by mara: sponsor on air` */
                            words: string;
                        }[];
                        due: {
                            action: string;
                            /** Format: date-time */
                            at: string;
                            /** @enum {string} */
                            heldBack?: "fired" | "step_due" | "condition_ended" | "rule_gone" | "condition_began" | "trigger_not_met" | "match_failed" | "no_channel" | "while_broken" | "for_not_reached" | "event_too_old" | "already_acted" | "once_per_session" | "step_cancelled" | "rule_changed" | "superseded" | "too_many_waiting" | "warming_up" | "data_gap" | "paused" | "held" | "silenced" | "inhibited" | "cooldown" | "incident_open" | "min_gap" | "max_per_hour" | "max_live_percent" | "rule_stopped" | "awaiting_approval" | "approved" | "approval_rejected" | "approval_timed_out" | "session_over" | "too_many_approvals" | "recovering" | "template_failed";
                        }[];
                        guards: {
                            guard: string;
                            passed: boolean;
                            values: {
                                [key: string]: string | number | boolean;
                            };
                        }[];
                        /** @description The last time it nearly acted */
                        last?: {
                            /** Format: date-time */
                            at: string;
                            meaning: string;
                            /** @enum {string} */
                            reason: "fired" | "step_due" | "condition_ended" | "rule_gone" | "condition_began" | "trigger_not_met" | "match_failed" | "no_channel" | "while_broken" | "for_not_reached" | "event_too_old" | "already_acted" | "once_per_session" | "step_cancelled" | "rule_changed" | "superseded" | "too_many_waiting" | "warming_up" | "data_gap" | "paused" | "held" | "silenced" | "inhibited" | "cooldown" | "incident_open" | "min_gap" | "max_per_hour" | "max_live_percent" | "rule_stopped" | "awaiting_approval" | "approved" | "approval_rejected" | "approval_timed_out" | "session_over" | "too_many_approvals" | "recovering" | "template_failed";
                            values: {
                                [key: string]: string | number | boolean;
                            };
                        };
                        /** @enum {string} */
                        mode: "enforce" | "dry_run" | "off";
                        muted: {
                            action: string;
                            /** @enum {string} */
                            reason: "fired" | "step_due" | "condition_ended" | "rule_gone" | "condition_began" | "trigger_not_met" | "match_failed" | "no_channel" | "while_broken" | "for_not_reached" | "event_too_old" | "already_acted" | "once_per_session" | "step_cancelled" | "rule_changed" | "superseded" | "too_many_waiting" | "warming_up" | "data_gap" | "paused" | "held" | "silenced" | "inhibited" | "cooldown" | "incident_open" | "min_gap" | "max_per_hour" | "max_live_percent" | "rule_stopped" | "awaiting_approval" | "approved" | "approval_rejected" | "approval_timed_out" | "session_over" | "too_many_approvals" | "recovering" | "template_failed";
                            values: {
                                [key: string]: string | number | boolean;
                            };
                        }[];
                        reason: ("fired" | "step_due" | "condition_ended" | "rule_gone" | "condition_began" | "trigger_not_met" | "match_failed" | "no_channel" | "while_broken" | "for_not_reached" | "event_too_old" | "already_acted" | "once_per_session" | "step_cancelled" | "rule_changed" | "superseded" | "too_many_waiting" | "warming_up" | "data_gap" | "paused" | "held" | "silenced" | "inhibited" | "cooldown" | "incident_open" | "min_gap" | "max_per_hour" | "max_live_percent" | "rule_stopped" | "awaiting_approval" | "approved" | "approval_rejected" | "approval_timed_out" | "session_over" | "too_many_approvals" | "recovering" | "template_failed") | "off";
                        remedy: string;
                        rule: string;
                        sentence: string;
                        /** Format: date-time */
                        since?: string;
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** @enum {string} */
                        state: "off" | "idle" | "waiting" | "held_back" | "firing";
                        values: {
                            [key: string]: string | number | boolean;
                        };
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    resetRule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                rule: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /** @example {} */
                "application/json": {
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "restarted": true
                     *     }
                     */
                    "application/json": {
                        /** @enum {boolean} */
                        restarted: true;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "name": "name",
                     *       "role": "viewer"
                     *     }
                     */
                    "application/json": {
                        /** @description Of the token, or of the person whom a trusted proxy signed in */
                        name: string;
                        /** @enum {string} */
                        role: "viewer" | "operator" | "admin";
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listSilences: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "silences": [
                     *         {
                     *           "id": "id",
                     *           "matchers": [
                     *             "rule=\"starving-slate\""
                     *           ],
                     *           "author": "token mara",
                     *           "reason": "no reason given",
                     *           "starts": "2026-11-20T20:00:00.000Z",
                     *           "ends": "2026-11-20T22:00:00.000Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        silences: {
                            author: string;
                            /** Format: date-time */
                            ends: string;
                            id: string;
                            matchers: string[];
                            reason: string;
                            /** Format: date-time */
                            starts: string;
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** @description Accounts whose Redis could not be asked: the answer says nothing of them */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    addSilence: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Only returns what it would match
                     * @enum {boolean}
                     */
                    dryRun?: true;
                    /** @description A silence always ends */
                    duration: string;
                    /** @description All must match, such as rule="slate" or tag_show=~"fin.*" */
                    matchers: string[];
                    /** @description With a reason for everybody who sees it */
                    reason: string;
                };
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "matches": {
                     *         "rules": 1,
                     *         "channels": 1
                     *       },
                     *       "matchesNothing": true,
                     *       "examples": {
                     *         "rules": [
                     *           "starving-slate"
                     *         ],
                     *         "channelArns": [
                     *           "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl"
                     *         ]
                     *       },
                     *       "didYouMean": [
                     *         "didYouMean"
                     *       ],
                     *       "planned": {
                     *         "count": 1,
                     *         "examples": [
                     *           {
                     *             "rule": "starving-slate",
                     *             "action": "action",
                     *             "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *             "channelName": "studio-a"
                     *           }
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": {
                        /** @description Suggestions for matchers that match nothing */
                        didYouMean: string[];
                        /** @description At most 20 of each */
                        examples: {
                            channelArns: string[];
                            rules: string[];
                        };
                        /** @description Rules in force, and channels of the accounts that this process carries, that it matches now */
                        matches: {
                            channels: number;
                            rules: number;
                        };
                        /** @description It holds nothing back at the moment */
                        matchesNothing: boolean;
                        /** @description Planned actions that it will hold back; at most 20 are named */
                        planned: {
                            count: number;
                            examples: {
                                action: string;
                                channelArn: string;
                                channelName: string;
                                /**
                                 * Format: date-time
                                 * @description When it would have been
                                 */
                                due?: string;
                                rule: string;
                            }[];
                        };
                    };
                };
            };
            /** @description Default Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "id",
                     *       "matchers": [
                     *         "rule=\"starving-slate\""
                     *       ],
                     *       "author": "token mara",
                     *       "reason": "no reason given",
                     *       "starts": "2026-11-20T20:00:00.000Z",
                     *       "ends": "2026-11-20T22:00:00.000Z",
                     *       "matches": {
                     *         "rules": 1,
                     *         "channels": 1
                     *       },
                     *       "matchesNothing": true,
                     *       "examples": {
                     *         "rules": [
                     *           "starving-slate"
                     *         ],
                     *         "channelArns": [
                     *           "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl"
                     *         ]
                     *       },
                     *       "didYouMean": [
                     *         "didYouMean"
                     *       ],
                     *       "planned": {
                     *         "count": 1,
                     *         "examples": [
                     *           {
                     *             "rule": "starving-slate",
                     *             "action": "action",
                     *             "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *             "channelName": "studio-a"
                     *           }
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": {
                        author: string;
                        /** @description Suggestions for matchers that match nothing */
                        didYouMean: string[];
                        /** Format: date-time */
                        ends: string;
                        /** @description At most 20 of each */
                        examples: {
                            channelArns: string[];
                            rules: string[];
                        };
                        id: string;
                        matchers: string[];
                        /** @description Rules in force, and channels of the accounts that this process carries, that it matches now */
                        matches: {
                            channels: number;
                            rules: number;
                        };
                        /** @description It holds nothing back at the moment */
                        matchesNothing: boolean;
                        /** @description Planned actions that it will hold back; at most 20 are named */
                        planned: {
                            count: number;
                            examples: {
                                action: string;
                                channelArn: string;
                                channelName: string;
                                /**
                                 * Format: date-time
                                 * @description When it would have been
                                 */
                                due?: string;
                                rule: string;
                            }[];
                        };
                        reason: string;
                        /** Format: date-time */
                        starts: string;
                        /** @description Accounts whose Redis could not be written: the silence is not in force there */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    endSilenceOfQuery: {
        parameters: {
            query?: {
                /** @description Needed; the same as DELETE /v1/silences/{id} */
                id?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "expired": true
                     *     }
                     */
                    "application/json": {
                        /** @enum {boolean} */
                        expired: true;
                        /** @description Accounts whose Redis could not be asked: the answer says nothing of them */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    replaceSilence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /** @example {} */
                "application/json": {
                    /** @description How long from now on */
                    duration?: string;
                    /** @description All must match, such as rule="slate" or tag_show=~"fin.*" */
                    matchers?: string[];
                    /** @description With a reason for everybody who sees it */
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "id",
                     *       "matchers": [
                     *         "rule=\"starving-slate\""
                     *       ],
                     *       "author": "token mara",
                     *       "reason": "no reason given",
                     *       "starts": "2026-11-20T20:00:00.000Z",
                     *       "ends": "2026-11-20T22:00:00.000Z",
                     *       "matches": {
                     *         "rules": 1,
                     *         "channels": 1
                     *       },
                     *       "matchesNothing": true,
                     *       "examples": {
                     *         "rules": [
                     *           "starving-slate"
                     *         ],
                     *         "channelArns": [
                     *           "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl"
                     *         ]
                     *       },
                     *       "didYouMean": [
                     *         "didYouMean"
                     *       ],
                     *       "planned": {
                     *         "count": 1,
                     *         "examples": [
                     *           {
                     *             "rule": "starving-slate",
                     *             "action": "action",
                     *             "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *             "channelName": "studio-a"
                     *           }
                     *         ]
                     *       },
                     *       "replaces": "replaces"
                     *     }
                     */
                    "application/json": {
                        author: string;
                        /** @description Suggestions for matchers that match nothing */
                        didYouMean: string[];
                        /** Format: date-time */
                        ends: string;
                        /** @description At most 20 of each */
                        examples: {
                            channelArns: string[];
                            rules: string[];
                        };
                        id: string;
                        matchers: string[];
                        /** @description Rules in force, and channels of the accounts that this process carries, that it matches now */
                        matches: {
                            channels: number;
                            rules: number;
                        };
                        /** @description It holds nothing back at the moment */
                        matchesNothing: boolean;
                        /** @description Planned actions that it will hold back; at most 20 are named */
                        planned: {
                            count: number;
                            examples: {
                                action: string;
                                channelArn: string;
                                channelName: string;
                                /**
                                 * Format: date-time
                                 * @description When it would have been
                                 */
                                due?: string;
                                rule: string;
                            }[];
                        };
                        reason: string;
                        replaces: string;
                        /** Format: date-time */
                        starts: string;
                        /** @description Accounts whose Redis could not be written: the silence is not in force there */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    endSilence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "expired": true
                     *     }
                     */
                    "application/json": {
                        /** @enum {boolean} */
                        expired: true;
                        /** @description Accounts whose Redis could not be asked: the answer says nothing of them */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    getStandby: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "standby": true,
                     *       "startedAsStandby": true,
                     *       "accounts": [
                     *         {
                     *           "name": "name",
                     *           "standby": true
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        accounts: {
                            /** @description Who activated it; absent while it stands by */
                            activation?: {
                                reason: string;
                                /** Format: date-time */
                                since: string;
                                who: string;
                            };
                            name: string;
                            standby: boolean;
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** @description It does nothing until it is activated */
                        standby: boolean;
                        /** @description By `run --standby` or AUTOPILOT_STANDBY */
                        startedAsStandby: boolean;
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listStreams: {
        parameters: {
            query?: {
                /** @description Only streams of this account, whichever process carries it */
                account?: string;
                /** @description `next` of the previous page */
                after?: string;
                health?: "HEALTHY" | "STARVING" | "UNKNOWN";
                limit?: number;
                /** @description over: ended or failed, earlier sessions too, the newest end first */
                state?: "created" | "live" | "ended" | "failed" | "any" | "over";
                /** @description Words that all occur in the name, the ARN or a tag written as key=value */
                text?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "counts": {
                     *         "live": 1,
                     *         "healthy": 1,
                     *         "starving": 1,
                     *         "unknown": 1,
                     *         "created": 1,
                     *         "channels": 1
                     *       },
                     *       "stale": {},
                     *       "streams": [
                     *         {
                     *           "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *           "channelName": "studio-a",
                     *           "streamId": "st-1AbCdEfGhIjKlMnOpQrStUv",
                     *           "state": "created",
                     *           "stateSince": "2026-11-20T20:00:00.000Z",
                     *           "health": "HEALTHY",
                     *           "healthSince": "2026-11-20T20:00:00.000Z",
                     *           "recording": "none"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        counts: {
                            channels: number;
                            created: number;
                            healthy: number;
                            live: number;
                            starving: number;
                            unknown: number;
                        };
                        /** @description `after` of the next page */
                        next?: string;
                        stale: {
                            /**
                             * Format: date-time
                             * @description Since when the event queue cannot be read
                             */
                            events?: string;
                            /**
                             * Format: date-time
                             * @description Since when ListStreams has failed: the records may be out of date
                             */
                            polls?: string;
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        streams: {
                            /** @description The ad break that is announced or running */
                            adBreak?: {
                                /** Format: date-time */
                                endsAt: string;
                                id: string;
                                /** Format: date-time */
                                insertedAt: string;
                                /** Format: date-time */
                                startsAt: string;
                            };
                            channelArn: string;
                            channelName: string;
                            /** Format: date-time */
                            endedAt?: string;
                            /**
                             * @description No event reported the end: it was over by `endedAt`, possibly earlier
                             * @enum {boolean}
                             */
                            endedAtLatest?: true;
                            /** @description Why it is over: Stream End, Stream Failure with its reason, … */
                            endReason?: string;
                            failureReason?: string;
                            /**
                             * @description Also UNKNOWN if the stream is not live
                             * @enum {string}
                             */
                            health: "HEALTHY" | "STARVING" | "UNKNOWN";
                            /** Format: date-time */
                            healthSince: string;
                            /** @enum {string} */
                            recording: "none" | "recording" | "ended" | "failed";
                            /** Format: date-time */
                            startedAt?: string;
                            /** @enum {string} */
                            state: "created" | "live" | "ended" | "failed";
                            /** Format: date-time */
                            stateSince: string;
                            /** @description Who stopped it through this daemon: `rule <name>`, `token <name>` or a person */
                            stoppedBy?: string;
                            streamId: string;
                            viewerCount?: number;
                        }[];
                        /** @description Accounts whose Redis could not be asked: the answer says nothing of them */
                        unasked?: {
                            account: string;
                            code: string;
                            reason: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    getStream: {
        parameters: {
            query?: {
                /** @description Default: the newest session */
                streamId?: string;
            };
            header?: never;
            path: {
                channelArn: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "record": {
                     *         "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *         "channelName": "studio-a",
                     *         "streamId": "st-1AbCdEfGhIjKlMnOpQrStUv",
                     *         "state": "created",
                     *         "stateSince": "2026-11-20T20:00:00.000Z",
                     *         "health": "HEALTHY",
                     *         "healthSince": "2026-11-20T20:00:00.000Z",
                     *         "recording": "none",
                     *         "adBreaks": [
                     *           {
                     *             "id": "id",
                     *             "insertedAt": "2026-11-20T20:00:00.000Z",
                     *             "startsAt": "2026-11-20T20:00:00.000Z",
                     *             "endsAt": "2026-11-20T20:00:00.000Z"
                     *           }
                     *         ],
                     *         "limitBreaches": [
                     *           {
                     *             "limitName": "limitName",
                     *             "at": "2026-11-20T20:00:00.000Z"
                     *           }
                     *         ],
                     *         "evidence": {}
                     *       },
                     *       "timeline": [
                     *         {
                     *           "source": "event",
                     *           "name": "name",
                     *           "eventTime": "2026-11-20T20:00:00.000Z",
                     *           "arrivedAt": "2026-11-20T20:00:00.000Z",
                     *           "text": "text"
                     *         }
                     *       ],
                     *       "channel": {
                     *         "name": "name",
                     *         "type": "type",
                     *         "latencyMode": "latencyMode",
                     *         "recordingConfigurationArn": "recordingConfigurationArn",
                     *         "tags": {}
                     *       },
                     *       "sessions": [
                     *         {
                     *           "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *           "channelName": "studio-a",
                     *           "streamId": "st-1AbCdEfGhIjKlMnOpQrStUv",
                     *           "state": "created",
                     *           "stateSince": "2026-11-20T20:00:00.000Z",
                     *           "health": "HEALTHY",
                     *           "healthSince": "2026-11-20T20:00:00.000Z",
                     *           "recording": "none"
                     *         }
                     *       ],
                     *       "stale": {}
                     *     }
                     */
                    "application/json": {
                        /** @description As last listed; null: not listed */
                        channel: {
                            /** @description Empty: no ads */
                            adConfigurationArn?: string;
                            /** @description Playback needs a token. This and the next fields are omitted if IVS has not returned them */
                            authorized?: boolean;
                            containerFormat?: string;
                            insecureIngest?: boolean;
                            latencyMode: string;
                            multitrackInputConfiguration?: {
                                enabled?: boolean;
                                maximumResolution?: string;
                                policy?: string;
                            };
                            name: string;
                            /** @description Empty: playback is not restricted */
                            playbackRestrictionPolicyArn?: string;
                            preset?: string;
                            /** @description Empty: recording is off */
                            recordingConfigurationArn: string;
                            tags: {
                                [key: string]: string;
                            };
                            type: string;
                        } | null;
                        /** @description The requested session, or the newest; null: none is known */
                        record: {
                            /** @description The ad break that is announced or running */
                            adBreak?: {
                                /** Format: date-time */
                                endsAt: string;
                                id: string;
                                /** Format: date-time */
                                insertedAt: string;
                                /** Format: date-time */
                                startsAt: string;
                            };
                            /** @description The last ones reported by events, newest first */
                            adBreaks: {
                                /** Format: date-time */
                                endsAt: string;
                                id: string;
                                /** Format: date-time */
                                insertedAt: string;
                                /** Format: date-time */
                                startsAt: string;
                            }[];
                            channelArn: string;
                            channelName: string;
                            /** Format: date-time */
                            endedAt?: string;
                            /**
                             * @description No event reported the end: it was over by `endedAt`, possibly earlier
                             * @enum {boolean}
                             */
                            endedAtLatest?: true;
                            /** @description Why it is over: Stream End, Stream Failure with its reason, … */
                            endReason?: string;
                            /** @description The source of each value */
                            evidence: {
                                [key: string]: {
                                    /**
                                     * Format: date-time
                                     * @description When the daemon learned it
                                     */
                                    arrivedAt: string;
                                    /**
                                     * Format: date-time
                                     * @description When it happened
                                     */
                                    eventTime: string;
                                    /** @description Name of the event, or ListStreams */
                                    name: string;
                                    /**
                                     * @description history: read afterwards, for time that was not observed
                                     * @enum {string}
                                     */
                                    source: "event" | "poll" | "history";
                                };
                            };
                            failureReason?: string;
                            /**
                             * @description Also UNKNOWN if the stream is not live
                             * @enum {string}
                             */
                            health: "HEALTHY" | "STARVING" | "UNKNOWN";
                            /** Format: date-time */
                            healthSince: string;
                            /**
                             * Format: date-time
                             * @description When an unobserved part of the session was read afterwards
                             */
                            learntAt?: string;
                            limitBreaches: {
                                /** Format: date-time */
                                at: string;
                                exceededBy?: number;
                                limitName: string;
                                limitUnit?: string;
                                limitValue?: number;
                            }[];
                            /** @enum {string} */
                            recording: "none" | "recording" | "ended" | "failed";
                            recordingPrefix?: string;
                            /** Format: date-time */
                            recordingSince?: string;
                            /** Format: date-time */
                            startedAt?: string;
                            /** @enum {string} */
                            state: "created" | "live" | "ended" | "failed";
                            /** Format: date-time */
                            stateSince: string;
                            /** @description Who stopped it through this daemon: `rule <name>`, `token <name>` or a person */
                            stoppedBy?: string;
                            streamId: string;
                            /** Format: date-time */
                            takeoverAt?: string;
                            viewerCount?: number;
                            /** Format: date-time */
                            viewerCountAt?: string;
                        } | null;
                        /** @description The other sessions, newest first */
                        sessions: {
                            /** @description The ad break that is announced or running */
                            adBreak?: {
                                /** Format: date-time */
                                endsAt: string;
                                id: string;
                                /** Format: date-time */
                                insertedAt: string;
                                /** Format: date-time */
                                startsAt: string;
                            };
                            channelArn: string;
                            channelName: string;
                            /** Format: date-time */
                            endedAt?: string;
                            /**
                             * @description No event reported the end: it was over by `endedAt`, possibly earlier
                             * @enum {boolean}
                             */
                            endedAtLatest?: true;
                            /** @description Why it is over: Stream End, Stream Failure with its reason, … */
                            endReason?: string;
                            failureReason?: string;
                            /**
                             * @description Also UNKNOWN if the stream is not live
                             * @enum {string}
                             */
                            health: "HEALTHY" | "STARVING" | "UNKNOWN";
                            /** Format: date-time */
                            healthSince: string;
                            /** @enum {string} */
                            recording: "none" | "recording" | "ended" | "failed";
                            /** Format: date-time */
                            startedAt?: string;
                            /** @enum {string} */
                            state: "created" | "live" | "ended" | "failed";
                            /** Format: date-time */
                            stateSince: string;
                            /** @description Who stopped it through this daemon: `rule <name>`, `token <name>` or a person */
                            stoppedBy?: string;
                            streamId: string;
                            viewerCount?: number;
                        }[];
                        stale: {
                            /**
                             * Format: date-time
                             * @description Since when the event queue cannot be read
                             */
                            events?: string;
                            /**
                             * Format: date-time
                             * @description Since when ListStreams has failed: the records may be out of date
                             */
                            polls?: string;
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        /** @description Oldest first */
                        timeline: {
                            /**
                             * Format: date-time
                             * @description When the daemon learned it
                             */
                            arrivedAt: string;
                            /**
                             * Format: date-time
                             * @description When it happened
                             */
                            eventTime: string;
                            /** @description Name of the event, or ListStreams */
                            name: string;
                            /**
                             * @description history: read afterwards, for time that was not observed
                             * @enum {string}
                             */
                            source: "event" | "poll" | "history";
                            text: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    getReport: {
        parameters: {
            query?: {
                /** @description For `md` and `html` the answer is text of that type */
                format?: "md" | "html" | "json";
                /** @description Default: the newest session */
                streamId?: string;
            };
            header?: never;
            path: {
                channelArn: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "version": 1,
                     *       "title": "title",
                     *       "madeAt": "2026-11-20T20:00:00.000Z",
                     *       "sessions": [
                     *         {
                     *           "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *           "channelName": "studio-a",
                     *           "streamId": "st-1AbCdEfGhIjKlMnOpQrStUv",
                     *           "state": "created",
                     *           "health": {
                     *             "healthySeconds": 1,
                     *             "starvingSeconds": 1,
                     *             "unknownSeconds": 1,
                     *             "unseenSeconds": 1,
                     *             "starving": [
                     *               {
                     *                 "from": "2026-11-20T20:00:00.000Z"
                     *               }
                     *             ]
                     *           },
                     *           "viewers": {},
                     *           "samples": [
                     *             {
                     *               "at": "2026-11-20T20:00:00.000Z",
                     *               "health": "HEALTHY"
                     *             }
                     *           ],
                     *           "limitBreaches": [
                     *             {
                     *               "at": "2026-11-20T20:00:00.000Z",
                     *               "limitName": "limitName"
                     *             }
                     *           ],
                     *           "actions": [
                     *             {
                     *               "at": "2026-11-20T20:00:00.000Z",
                     *               "rule": "starving-slate",
                     *               "action": "action",
                     *               "jobId": "rotate_stream_key-0123abcd"
                     *             }
                     *           ],
                     *           "withheld": [
                     *             {
                     *               "at": "2026-11-20T20:00:00.000Z",
                     *               "rule": "starving-slate",
                     *               "reason": "no reason given",
                     *               "meaning": "meaning"
                     *             }
                     *           ],
                     *           "operators": [
                     *             {
                     *               "at": "2026-11-20T20:00:00.000Z",
                     *               "who": "token mara",
                     *               "what": "what",
                     *               "outcome": "outcome",
                     *               "why": "why"
                     *             }
                     *           ],
                     *           "cues": {
                     *             "jobs": 1,
                     *             "delivered": 1,
                     *             "expired": 1,
                     *             "failed": 1,
                     *             "notSent": 1
                     *           },
                     *           "adBreaks": [
                     *             {
                     *               "id": "id",
                     *               "startsAt": "2026-11-20T20:00:00.000Z",
                     *               "endsAt": "2026-11-20T20:00:00.000Z"
                     *             }
                     *           ],
                     *           "recording": {
                     *             "state": "none"
                     *           },
                     *           "timeline": [
                     *             {
                     *               "at": "2026-11-20T20:00:00.000Z",
                     *               "source": "source",
                     *               "name": "name",
                     *               "text": "text"
                     *             }
                     *           ]
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description Channels beyond the first fifty */
                        leftOut?: number;
                        /** Format: date-time */
                        madeAt: string;
                        sessions: {
                            actions: {
                                action: string;
                                /** Format: date-time */
                                at: string;
                                detail?: string;
                                jobId: string;
                                /** @description Omitted: it has not ended */
                                outcome?: string;
                                rule: string;
                            }[];
                            adBreaks: {
                                /** Format: date-time */
                                endsAt: string;
                                id: string;
                                /** Format: date-time */
                                startsAt: string;
                            }[];
                            channelArn: string;
                            channelName: string;
                            /** @description Timed metadata of rules */
                            cues: {
                                delivered: number;
                                expired: number;
                                failed: number;
                                jobs: number;
                                notSent: number;
                            };
                            durationSeconds?: number;
                            /** Format: date-time */
                            endedAt?: string;
                            /** @enum {boolean} */
                            endedAtLatest?: true;
                            endReason?: string;
                            /** @description Lists that reached their limit, so that there may be more */
                            full?: ("starving" | "limitBreaches" | "adBreaks" | "actions" | "withheld" | "operators" | "timeline")[];
                            health: {
                                healthySeconds: number;
                                starving: {
                                    /** Format: date-time */
                                    from: string;
                                    /** @enum {boolean} */
                                    ongoing?: true;
                                    /**
                                     * Format: date-time
                                     * @description Omitted: not observed, or still running
                                     */
                                    to?: string;
                                }[];
                                starvingSeconds: number;
                                unknownSeconds: number;
                                /** @description Nobody looked */
                                unseenSeconds: number;
                            };
                            /** @description Omitted: the session was not captured */
                            hints?: string[];
                            /**
                             * @description Part of the journal and the audit was not searched
                             * @enum {boolean}
                             */
                            incomplete?: true;
                            /**
                             * Format: date-time
                             * @description When an unobserved part of the session was read afterwards
                             */
                            learntAt?: string;
                            limitBreaches: {
                                /** Format: date-time */
                                at: string;
                                exceededBy?: number;
                                limitName: string;
                                limitUnit?: string;
                                limitValue?: number;
                            }[];
                            operators: {
                                /** Format: date-time */
                                at: string;
                                outcome: string;
                                what: string;
                                who: string;
                                why: string;
                            }[];
                            recording: {
                                prefix?: string;
                                /** Format: date-time */
                                since?: string;
                                /** @enum {string} */
                                state: "none" | "recording" | "ended" | "failed";
                            };
                            /** @description At most 720: for a long session, each combines several samples (most viewers, worst health) */
                            samples: {
                                /** Format: date-time */
                                at: string;
                                /** @enum {string} */
                                health: "HEALTHY" | "STARVING" | "UNKNOWN";
                                viewers?: number;
                            }[];
                            /** Format: date-time */
                            startedAt?: string;
                            /** @enum {string} */
                            state: "created" | "live" | "ended" | "failed";
                            stoppedBy?: string;
                            streamId: string;
                            timeline: {
                                /** Format: date-time */
                                at: string;
                                name: string;
                                source: string;
                                text: string;
                            }[];
                            viewers: {
                                average?: number;
                                peak?: {
                                    /** Format: date-time */
                                    at: string;
                                    viewers: number;
                                };
                            };
                            withheld: {
                                action?: string;
                                /** Format: date-time */
                                at: string;
                                meaning: string;
                                reason: string;
                                rule: string;
                            }[];
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        title: string;
                        /** @enum {number} */
                        version: 1;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    listSamples: {
        parameters: {
            query?: {
                /** @description `next` of the previous page */
                before?: string;
                limit?: number;
                /** @description Default: the newest session */
                streamId?: string;
            };
            header?: never;
            path: {
                channelArn: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "channelArn": "arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl",
                     *       "streamId": "st-1AbCdEfGhIjKlMnOpQrStUv",
                     *       "samples": [
                     *         {
                     *           "at": "2026-11-20T20:00:00.000Z",
                     *           "health": "HEALTHY"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        channelArn: string;
                        /** @description Send it as `before` to get older ones */
                        next?: string;
                        /** @description Oldest first: one for each observed minute and one for each change of health */
                        samples: {
                            /** Format: date-time */
                            at: string;
                            /** @enum {string} */
                            health: "HEALTHY" | "STARVING" | "UNKNOWN";
                            /** @description Omitted: IVS did not count them */
                            viewers?: number;
                        }[];
                        /** @description Present while the answer is old */
                        stale?: {
                            /**
                             * Format: date-time
                             * @description Since when Redis cannot be used: nothing is decided, and what happened since is missing
                             */
                            redis?: string;
                            /** @description The same in a sentence, if Redis cannot be used */
                            text?: string;
                        };
                        streamId: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    cancelTimer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "cancelled": true,
                     *       "rule": "starving-slate"
                     *     }
                     */
                    "application/json": {
                        /** @enum {boolean} */
                        cancelled: true;
                        rule: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
    setOffTrigger: {
        parameters: {
            query?: {
                /** @description Account, if no channel is named. Default: the first */
                account?: string;
            };
            header?: {
                /** @description Repeating the same key triggers nothing twice */
                "idempotency-key"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description The rules match it with `http.body` */
                    body?: unknown;
                    /** @description The channel it is about */
                    channelArn?: string;
                };
            };
        };
        responses: {
            /** @description Default Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "requestId": "requestId",
                     *       "rules": [
                     *         "starving-slate"
                     *       ]
                     *     }
                     */
                    "application/json": {
                        requestId: string;
                        /** @description Rules that listen to the name */
                        rules: string[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            429: components["responses"]["TooMany"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Problem"];
        };
    };
}
