/** Why a container image is refused, wherever somebody names one, and what to do instead. */
export const noImages =
  'container images need the provider docker, which this version of Sluice does not have. Unpack what the image holds into a folder of the stack, and name that as `source` with its `command`';
