/** Events come in no order, but here the order counts: the caller starts again with ordered events. */
export class OrderNeeded extends Error {}
