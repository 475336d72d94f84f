// The referee of the Durable Streams protocol, pointed at a server.
import { runConformanceTests } from "@durable-streams/server-conformance-tests";

runConformanceTests({ baseUrl: process.env.FRESHET_URL, longPollTimeoutMs: 3000, subscriptions: true });
