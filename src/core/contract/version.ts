/**
 * Version of the wire contract between the interface and the backend. It is compared in the handshake: a page that
 * was loaded before an update must reload instead of speaking an old dialect to a new backend.
 */
export const CONTRACT_VERSION = 3
