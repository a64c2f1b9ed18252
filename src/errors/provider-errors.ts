export const providerErrors = {};
