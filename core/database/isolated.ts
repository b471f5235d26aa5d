/** A copy that only the recovery's own functions reach. */
import { regionSettings, type Settings } from '../settings.ts';
import type { DatabaseInstance } from './ports.ts';

/**
 * In the isolated group only: the application cannot reach it, and FenceDatabase admits it when its own fence is proven. No
 * one waits for it who opens or guards production: RDS may be at it for an hour, and it may refuse to be fenced.
 */
export function isOutOfReach({ region, settings: its }: DatabaseInstance, settings: Settings): boolean {
  const groups = its.securityGroupIds;
  const { isolatedSecurityGroupId } = regionSettings(settings, region);
  return Array.isArray(groups) && groups.length === 1 && groups[0] === isolatedSecurityGroupId;
}
