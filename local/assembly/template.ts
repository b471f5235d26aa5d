/** A CloudFormation template as JSON, and the errors that name the place in it. */
export interface Template {
  readonly Parameters?: Readonly<Record<string, { readonly Type: string; readonly Default?: unknown }>>;
  readonly Mappings?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Rules?: Readonly<Record<string, Rule>>;
  readonly Resources?: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, Output>>;
}
export interface Rule {
  readonly RuleCondition?: unknown;
  readonly Assertions: readonly { readonly Assert: unknown; readonly AssertDescription?: string }[];
}
export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly Condition?: string;
  readonly DependsOn?: string | readonly string[];
}
export interface Output {
  readonly Value: unknown;
  readonly Condition?: string;
  readonly Export?: { readonly Name: unknown };
}

/** Sections and attributes that are understood, or that change nothing for a stack that is created once and never updated. */
const sections = new Set([
  ...['AWSTemplateFormatVersion', 'Description', 'Metadata'],
  ...['Parameters', 'Mappings', 'Conditions', 'Rules', 'Resources', 'Outputs'],
]);
const attributes = new Set([
  ...['Type', 'Properties', 'Condition', 'DependsOn'],
  ...['Metadata', 'DeletionPolicy', 'UpdateReplacePolicy'],
]);

export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** Throws a TemplateError for a section or a resource attribute that is not supported (Transform, CreationPolicy …). */
export function checkTemplate(stackName: string, template: Template): void {
  for (const section of Object.keys(template)) {
    if (!sections.has(section)) throw new TemplateError(`stack ${stackName}: the section ${section} is not supported`);
  }
  for (const [logicalId, resource] of Object.entries(template.Resources ?? {})) {
    for (const attribute of Object.keys(resource)) {
      if (!attributes.has(attribute)) {
        throw new TemplateError(
          `stack ${stackName}, ${logicalId} (${resource.Type}): the attribute ${attribute} is not supported`,
        );
      }
    }
  }
}
