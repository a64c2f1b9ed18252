export const serviceErrors = {};
