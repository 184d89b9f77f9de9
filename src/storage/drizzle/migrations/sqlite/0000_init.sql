CREATE TABLE `machine_auth_api_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`prefix` text NOT NULL,
	`environment` text NOT NULL,
	`hash` text NOT NULL,
	`pepper` text NOT NULL,
	`organization_id` text,
	`user_id` text,
	`permissions` text NOT NULL,
	`ip_allowlist` text NOT NULL,
	`rate_limit` text,
	`monthly_quota` integer,
	`enabled` integer NOT NULL,
	`expires_at` integer,
	`last_used_at` integer,
	`created_at` integer NOT NULL,
	`created_by` text NOT NULL,
	`revoked_at` integer,
	`revoked_reason` text,
	`revoked_by` text,
	`rotated_from` text,
	`description` text,
	`metadata` text,
	`search_text` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `machine_auth_api_keys_created_idx` ON `machine_auth_api_keys` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `machine_auth_api_keys_organization_idx` ON `machine_auth_api_keys` (`organization_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `machine_auth_api_keys_user_idx` ON `machine_auth_api_keys` (`user_id`);--> statement-breakpoint
CREATE TABLE `machine_auth_audit` (
	`id` text PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`action` text NOT NULL,
	`actor` text NOT NULL,
	`subject` text NOT NULL,
	`details` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `machine_auth_audit_at_idx` ON `machine_auth_audit` (`at`,`id`);--> statement-breakpoint
CREATE INDEX `machine_auth_audit_action_idx` ON `machine_auth_audit` (`action`,`at`,`id`);--> statement-breakpoint
CREATE TABLE `machine_auth_bearer_tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`hash` text NOT NULL,
	`pepper` text NOT NULL,
	`user_id` text,
	`organization_id` text,
	`permissions` text NOT NULL,
	`expires_at` integer,
	`created_at` integer NOT NULL,
	`revoked_at` integer,
	`revoked_reason` text
);
--> statement-breakpoint
CREATE INDEX `machine_auth_bearer_tokens_created_idx` ON `machine_auth_bearer_tokens` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `machine_auth_bearer_tokens_organization_idx` ON `machine_auth_bearer_tokens` (`organization_id`);--> statement-breakpoint
CREATE INDEX `machine_auth_bearer_tokens_user_idx` ON `machine_auth_bearer_tokens` (`user_id`);--> statement-breakpoint
CREATE TABLE `machine_auth_changes` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`kind` text NOT NULL,
	`subject` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `machine_auth_changes_at_idx` ON `machine_auth_changes` (`at`);--> statement-breakpoint
CREATE TABLE `machine_auth_organizations` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`status` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `machine_auth_organizations_name_unique` ON `machine_auth_organizations` (`name`);--> statement-breakpoint
CREATE INDEX `machine_auth_organizations_created_idx` ON `machine_auth_organizations` (`created_at`,`id`);--> statement-breakpoint
CREATE TABLE `machine_auth_refresh_families` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text,
	`client_id` text,
	`permissions` text NOT NULL,
	`nonce` text NOT NULL,
	`secret_fingerprint` text NOT NULL,
	`sequence` integer NOT NULL,
	`rotated_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	`revoked_at` integer,
	`revoked_reason` text
);
--> statement-breakpoint
CREATE INDEX `machine_auth_refresh_families_user_idx` ON `machine_auth_refresh_families` (`user_id`);--> statement-breakpoint
CREATE INDEX `machine_auth_refresh_families_expires_idx` ON `machine_auth_refresh_families` (`expires_at`);--> statement-breakpoint
CREATE TABLE `machine_auth_roles` (
	`name` text PRIMARY KEY NOT NULL,
	`permissions` text NOT NULL,
	`inherits` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `machine_auth_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`hash` text NOT NULL,
	`user_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_seen_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`address` text,
	`user_agent` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `machine_auth_sessions_hash_unique` ON `machine_auth_sessions` (`hash`);--> statement-breakpoint
CREATE INDEX `machine_auth_sessions_user_idx` ON `machine_auth_sessions` (`user_id`);--> statement-breakpoint
CREATE INDEX `machine_auth_sessions_expires_idx` ON `machine_auth_sessions` (`expires_at`);--> statement-breakpoint
CREATE TABLE `machine_auth_signing_keys` (
	`kid` text PRIMARY KEY NOT NULL,
	`algorithm` text NOT NULL,
	`public_jwk` text,
	`encrypted_private_jwk` text NOT NULL,
	`encryption_key` text NOT NULL,
	`created_at` integer NOT NULL,
	`retired_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `machine_auth_signing_keys_current_unique` ON `machine_auth_signing_keys` (`algorithm`,`encryption_key`) WHERE retired_at is null;--> statement-breakpoint
CREATE TABLE `machine_auth_users` (
	`id` text PRIMARY KEY NOT NULL,
	`email` text NOT NULL,
	`password_hash` text,
	`organization_id` text,
	`roles` text NOT NULL,
	`status` text NOT NULL,
	`tokens_not_before` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `machine_auth_users_email_unique` ON `machine_auth_users` (`email`);--> statement-breakpoint
CREATE INDEX `machine_auth_users_organization_idx` ON `machine_auth_users` (`organization_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `machine_auth_users_created_idx` ON `machine_auth_users` (`created_at`,`id`);