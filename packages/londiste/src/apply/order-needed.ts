/** The events were read unordered, and their order matters here: the caller starts again with ordered events. */
export class OrderNeeded extends Error {}
