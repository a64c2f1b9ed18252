/**
 * What a route may demand. `evaluate`: what flags serve to a user; `promote`, `abort` and `rollback`: what is done to a rollout; `administer`:
 * keys and the life of the control plane itself.
 */
export const permissions = ['evaluate', 'read', 'plan', 'apply', 'operate', 'promote', 'abort', 'rollback', 'administer'] as const;
export type Permission = (typeof permissions)[number];

export const roles = ['admin', 'operator', 'viewer', 'evaluator'] as const;
export type Role = (typeof roles)[number];

const permissionsOf: Readonly<Record<Role, readonly Permission[]>> = {
  admin: permissions,
  operator: ['evaluate', 'read', 'plan', 'apply', 'operate', 'promote', 'abort', 'rollback'],
  viewer: ['evaluate', 'read'],
  evaluator: ['evaluate'],
};

export function allows(role: Role, permission: Permission): boolean {
  return permissionsOf[role].includes(permission);
}

/** Nobody hands out a right they do not hold themselves. */
export function mayGrant(holder: Role, granted: Role): boolean {
  return permissionsOf[granted].every((permission) => allows(holder, permission));
}
