CREATE TABLE `machine_auth_audit_marks` (
	`name` text PRIMARY KEY NOT NULL,
	`sequence` integer NOT NULL,
	`at` integer NOT NULL,
	`mac` text NOT NULL,
	`mac_key` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `machine_auth_idempotency` (
	`principal` text NOT NULL,
	`endpoint` text NOT NULL,
	`key` text NOT NULL,
	`fingerprint` text NOT NULL,
	`answer` text,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	PRIMARY KEY(`principal`, `endpoint`, `key`)
);
--> statement-breakpoint
CREATE INDEX `machine_auth_idempotency_expires_idx` ON `machine_auth_idempotency` (`expires_at`);--> statement-breakpoint
CREATE TABLE `machine_auth_permissions` (
	`name` text PRIMARY KEY NOT NULL,
	`module` text,
	`label` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
DROP INDEX `machine_auth_api_keys_user_idx`;--> statement-breakpoint
ALTER TABLE `machine_auth_api_keys` ADD `credits_version` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `machine_auth_api_keys` ADD `expiry_warned_at` integer;--> statement-breakpoint
ALTER TABLE `machine_auth_api_keys` ADD `lookup` text;--> statement-breakpoint
CREATE INDEX `machine_auth_api_keys_name_idx` ON `machine_auth_api_keys` (`name`,`id`);--> statement-breakpoint
CREATE INDEX `machine_auth_api_keys_organization_name_idx` ON `machine_auth_api_keys` (`organization_id`,`name`,`id`);--> statement-breakpoint
CREATE INDEX `machine_auth_api_keys_used_idx` ON `machine_auth_api_keys` ((case when last_used_at is null then 0 else last_used_at end),`id`);--> statement-breakpoint
CREATE INDEX `machine_auth_api_keys_organization_used_idx` ON `machine_auth_api_keys` (`organization_id`,(case when last_used_at is null then 0 else last_used_at end),`id`);--> statement-breakpoint
CREATE INDEX `machine_auth_api_keys_unrevoked_idx` ON `machine_auth_api_keys` (`organization_id`,`revoked_at`) WHERE revoked_at is null;--> statement-breakpoint
CREATE INDEX `machine_auth_api_keys_expires_idx` ON `machine_auth_api_keys` (`expires_at`);--> statement-breakpoint
CREATE UNIQUE INDEX `machine_auth_api_keys_rotated_unique` ON `machine_auth_api_keys` (`rotated_from`);--> statement-breakpoint
CREATE UNIQUE INDEX `machine_auth_api_keys_lookup_unique` ON `machine_auth_api_keys` (`lookup`);--> statement-breakpoint
CREATE INDEX `machine_auth_api_keys_user_idx` ON `machine_auth_api_keys` (`user_id`,`created_at`,`id`);--> statement-breakpoint
ALTER TABLE `machine_auth_audit` ADD `organization_id` text;--> statement-breakpoint
ALTER TABLE `machine_auth_audit` ADD `address` text;--> statement-breakpoint
ALTER TABLE `machine_auth_audit` ADD `request_id` text;--> statement-breakpoint
ALTER TABLE `machine_auth_audit` ADD `sequence` integer;--> statement-breakpoint
ALTER TABLE `machine_auth_audit` ADD `mac` text;--> statement-breakpoint
ALTER TABLE `machine_auth_audit` ADD `mac_key` text;--> statement-breakpoint
CREATE INDEX `machine_auth_audit_subject_idx` ON `machine_auth_audit` (`subject`,`at`,`id`);--> statement-breakpoint
CREATE INDEX `machine_auth_audit_organization_idx` ON `machine_auth_audit` (`organization_id`,`at`,`id`);--> statement-breakpoint
CREATE INDEX `machine_auth_audit_actor_idx` ON `machine_auth_audit` (`actor`,`at`,`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `machine_auth_audit_sequence_unique` ON `machine_auth_audit` (`sequence`) WHERE sequence is not null;--> statement-breakpoint
CREATE INDEX `machine_auth_audit_unsealed_idx` ON `machine_auth_audit` (`at`,`id`) WHERE sequence is null;--> statement-breakpoint
ALTER TABLE `machine_auth_organizations` ADD `max_permissions` text;--> statement-breakpoint
ALTER TABLE `machine_auth_organizations` ADD `max_key_lifetime` integer;