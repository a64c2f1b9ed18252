export const stackErrors = {};
