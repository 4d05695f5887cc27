/**
 * Every limit of the server, in one place, with unit and reason. Settings that an operator may change are in config.ts.
 */

/** Bytes of JSON of one flag. What a person or a tool writes is far below; it keeps one register bounded. */
export const flagBytesMax = 64 * 1024
/** Bytes of JSON of one segment: 10,000 ids of 90 characters, and below registerValueBytesMax with what stands around it. */
export const segmentBytesMax = 1_000_000
/** Levels that the JSON of a body, flag or segment may nest: conditionDepthMax conditions of two levels each, and what stands around them. */
export const jsonDepthMax = 100
/** Characters of a flag, segment, namespace or environment key. */
export const keyCharactersMax = 128
/** Bytes of a request body, but for imports. Malformed input must not cost memory. */
export const bodyBytesMax = 1024 * 1024 - 1
/** Bytes of the body of an import: 10,000 flags of a few KB. */
export const importBytesMax = 64 * 1024 * 1024
/** Evaluations in one batch request. */
export const batchRequestsMax = 1_000
/** Flags that one list page holds; also the default of `limit`. */
export const pageFlagsMax = 1_000

/** Connections that a node keeps open at once: all streams, and as many again. Further ones are closed at once. */
export const connectionsMax = 20_000
/** Event streams that a node keeps open at once; further clients get 503 and ask another node. */
export const streamsMax = 10_000
/** Bytes that wait for one slow reader of a stream; beyond them it is cut off, and resumes where it was. */
export const streamBufferBytesMax = 1024 * 1024
/** Changes of the ruleset that a node remembers, so that streams and clients can resume from an earlier root. */
export const changesRememberedMax = 1_000

/** Characters of the name of an API key. */
export const keyNameCharactersMax = 256
/** Namespaces, and environments, that one API key may be confined to: they are looked through at each request. */
export const confinedToMax = 100
/** Entries of the audit log that one query reads, whatever it asks for: some 20 ms. The cursor goes on from there. */
export const auditScannedMax = 5_000
/** Forged entries of the audit log that a node remembers to have refused: one is enough to know. */
export const refusedEntriesMax = 100
/** Entries in one page of the audit log or of a history. */
export const pageEntriesMax = 200
/** Characters of the reason that somebody gives for a change. */
export const reasonCharactersMax = 1_000
/** Changes that a report sums up; a report is for people. */
export const reportedChangesMax = 1_000
/** Flags whose evaluations are counted each by itself; those that come later are counted together. */
export const meteredFlagsMax = 1_000
/** API keys whose check a node remembers; more than that take turns, and are hashed again. */
export const authenticatedKeysMax = 10_000
/** Networks whose failed authentications a node counts; the one not seen for longest is forgotten. */
export const failingNetworksMax = 10_000
/** Unknown API keys that one network may send in a minute before it must wait: far above mistakes, far below guessing. */
export const failuresPerMinuteMax = 100
/** Unknown API keys that a node remembers, so that repeating one is no new failure: 256 characters each at most. */
export const refusedSecretsMax = 1_000

/** Levels that a condition may nest; deeper is a mistake, and recursion must end. */
export const conditionDepthMax = 32
/** Conditions in one flag, all levels together. */
export const conditionsMax = 1_000
/** Levels that JSON of a context may nest. */
export const contextDepthMax = 16
/** Attributes of a context, all levels together. */
export const contextAttributesMax = 1_000
/** Bytes of a context as JSON. */
export const contextBytesMax = 64 * 1024
/** Steps that all JsonLogic of a flag may take for any context: some milliseconds. A list of the context counts with all the attributes that it may have. */
export const jsonLogicStepsMax = 100_000
/** Prerequisites or segments in a chain; a merge can tie longer ones, which then answer PARSE_ERROR. */
export const referenceDepthMax = 16

/** Users of a flag or segment that a refusal to delete it tells: enough to see whom to talk to. */
export const usersToldMax = 10

/** Bytes of a register key: namespace, flag key, kind and environment with separators. */
export const registerKeyBytesMax = 512
/** Bytes of a register's value: a segment of 10,000 ids is the largest that is meant to fit. */
export const registerValueBytesMax = 1024 * 1024

/** Bytes of a UDP packet's payload: below the smallest common MTU (1,280 for IPv6) less headers and seal. */
export const packetBytesMax = 1_200
/** Bytes of one frame on the bulk channel. */
export const bulkFrameBytesMax = 4 * 1024 * 1024
/** Bytes of frames that wait for one peer on the bulk channel; further ones are dropped, and anti-entropy repeats them. */
export const bulkQueueBytesMax = 4 * bulkFrameBytesMax
/** Records that wait to be gossiped; the oldest drops first, and anti-entropy brings it. */
export const rumorsMax = 4_096
/** Members that the mesh keeps track of, the dead included. */
export const membersMax = 10_000
/** Members that are dead or left and still shown; more than a rack that is replaced in a day. */
export const deadMembersMax = 256
/** Anti-entropy sessions that a node serves at once; a further one is told to come back. */
export const syncsServedMax = 3
/** Local writes that wait for the disk; further ones get 503. */
export const pendingWritesMax = 10_000
/** Appends and removals that wait for the storage thread; further ones are rejected. Twice the writes: peers' changes too. */
export const pendingStepsMax = 2 * pendingWritesMax
/** Appends and removals in one transaction: bounds what one failing commit takes with it, and the wait of the first. */
export const commitStepsMax = 1_000
/** Bytes of keys and values in one message from the storage thread while it loads; a value keeps its page in memory. */
export const recordPageBytes = 256 * 1024
/** Milliseconds after which an unanswered commit is told as a failure: past the worst pause of an SD card. */
export const diskStallMs = 5_000
