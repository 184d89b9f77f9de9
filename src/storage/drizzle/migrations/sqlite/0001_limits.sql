CREATE TABLE `machine_auth_blocks` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`scope` text NOT NULL,
	`path` text NOT NULL,
	`reason` text,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `machine_auth_blocks_subject_unique` ON `machine_auth_blocks` (`subject`,`scope`,`path`);--> statement-breakpoint
CREATE INDEX `machine_auth_blocks_expires_idx` ON `machine_auth_blocks` (`expires_at`);--> statement-breakpoint
CREATE INDEX `machine_auth_blocks_created_idx` ON `machine_auth_blocks` (`created_at`,`id`);--> statement-breakpoint
CREATE TABLE `machine_auth_login_addresses` (
	`account` text NOT NULL,
	`address` text NOT NULL,
	`last_at` integer NOT NULL,
	PRIMARY KEY(`account`, `address`)
);
--> statement-breakpoint
CREATE INDEX `machine_auth_login_addresses_last_idx` ON `machine_auth_login_addresses` (`account`,`last_at`);--> statement-breakpoint
CREATE TABLE `machine_auth_quotas` (
	`subject` text NOT NULL,
	`period` text NOT NULL,
	`used` integer NOT NULL,
	PRIMARY KEY(`subject`, `period`)
);
--> statement-breakpoint
ALTER TABLE `machine_auth_api_keys` ADD `credits` integer;--> statement-breakpoint
ALTER TABLE `machine_auth_api_keys` ADD `credits_refill_amount` integer;--> statement-breakpoint
ALTER TABLE `machine_auth_api_keys` ADD `credits_refill_every` integer;--> statement-breakpoint
ALTER TABLE `machine_auth_api_keys` ADD `credits_refilled_at` integer;--> statement-breakpoint
ALTER TABLE `machine_auth_organizations` ADD `rate_limit` text;--> statement-breakpoint
ALTER TABLE `machine_auth_organizations` ADD `monthly_quota` integer;