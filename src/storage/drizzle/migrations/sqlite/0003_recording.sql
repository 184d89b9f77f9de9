CREATE TABLE `machine_auth_request_log` (
	`id` text PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`request_id` text NOT NULL,
	`method` text NOT NULL,
	`path` text NOT NULL,
	`route` text,
	`status` integer NOT NULL,
	`duration` integer NOT NULL,
	`address` text,
	`credential` text,
	`key_id` text,
	`user_id` text,
	`organization_id` text,
	`code` text,
	`query` text,
	`request_headers` text,
	`request_body` text,
	`response_headers` text,
	`response_body` text
);
--> statement-breakpoint
CREATE INDEX `machine_auth_request_log_at_idx` ON `machine_auth_request_log` (`at`,`id`);--> statement-breakpoint
CREATE INDEX `machine_auth_request_log_key_idx` ON `machine_auth_request_log` (`key_id`,`at`,`id`);--> statement-breakpoint
CREATE INDEX `machine_auth_request_log_organization_idx` ON `machine_auth_request_log` (`organization_id`,`at`,`id`);--> statement-breakpoint
CREATE INDEX `machine_auth_request_log_user_idx` ON `machine_auth_request_log` (`user_id`,`at`,`id`) WHERE user_id is not null;--> statement-breakpoint
CREATE INDEX `machine_auth_request_log_request_idx` ON `machine_auth_request_log` (`request_id`,`at`,`id`);--> statement-breakpoint
CREATE TABLE `machine_auth_usage` (
	`key_id` text NOT NULL,
	`period` text NOT NULL,
	`start` integer NOT NULL,
	`organization_id` text NOT NULL,
	`method` text NOT NULL,
	`route` text NOT NULL,
	`status` integer NOT NULL,
	`requests` integer NOT NULL,
	`duration` integer NOT NULL,
	`latency_0` integer NOT NULL,
	`latency_1` integer NOT NULL,
	`latency_2` integer NOT NULL,
	`latency_3` integer NOT NULL,
	`latency_4` integer NOT NULL,
	`latency_5` integer NOT NULL,
	`latency_6` integer NOT NULL,
	`latency_7` integer NOT NULL,
	`latency_8` integer NOT NULL,
	`latency_9` integer NOT NULL,
	`latency_10` integer NOT NULL,
	`latency_11` integer NOT NULL,
	PRIMARY KEY(`key_id`, `period`, `start`, `organization_id`, `method`, `route`, `status`)
);
--> statement-breakpoint
CREATE INDEX `machine_auth_usage_start_idx` ON `machine_auth_usage` (`period`,`start`);--> statement-breakpoint
CREATE TABLE `machine_auth_usage_checkpoints` (
	`journal` text PRIMARY KEY NOT NULL,
	`position` integer NOT NULL,
	`target` integer NOT NULL,
	`written` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `machine_auth_usage_checkpoints_updated_idx` ON `machine_auth_usage_checkpoints` (`updated_at`);--> statement-breakpoint
CREATE TABLE `machine_auth_usage_receipts` (
	`key_id` text NOT NULL,
	`id` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`key_id`, `id`)
);
--> statement-breakpoint
CREATE INDEX `machine_auth_usage_receipts_at_idx` ON `machine_auth_usage_receipts` (`at`);