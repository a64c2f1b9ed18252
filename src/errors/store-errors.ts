export const storeErrors = {};
