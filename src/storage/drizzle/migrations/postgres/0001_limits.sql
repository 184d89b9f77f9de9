CREATE TABLE "machine_auth_blocks" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"scope" text NOT NULL,
	"path" text NOT NULL,
	"reason" text,
	"created_by" text NOT NULL,
	"created_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "machine_auth_login_addresses" (
	"account" text NOT NULL,
	"address" text NOT NULL,
	"last_at" bigint NOT NULL,
	CONSTRAINT "machine_auth_login_addresses_account_address_pk" PRIMARY KEY("account","address")
);
--> statement-breakpoint
CREATE TABLE "machine_auth_quotas" (
	"subject" text NOT NULL,
	"period" text NOT NULL,
	"used" bigint NOT NULL,
	CONSTRAINT "machine_auth_quotas_subject_period_pk" PRIMARY KEY("subject","period")
);
--> statement-breakpoint
ALTER TABLE "machine_auth_api_keys" ADD COLUMN "credits" bigint;--> statement-breakpoint
ALTER TABLE "machine_auth_api_keys" ADD COLUMN "credits_refill_amount" bigint;--> statement-breakpoint
ALTER TABLE "machine_auth_api_keys" ADD COLUMN "credits_refill_every" bigint;--> statement-breakpoint
ALTER TABLE "machine_auth_api_keys" ADD COLUMN "credits_refilled_at" bigint;--> statement-breakpoint
ALTER TABLE "machine_auth_organizations" ADD COLUMN "rate_limit" jsonb;--> statement-breakpoint
ALTER TABLE "machine_auth_organizations" ADD COLUMN "monthly_quota" bigint;--> statement-breakpoint
CREATE UNIQUE INDEX "machine_auth_blocks_subject_unique" ON "machine_auth_blocks" USING btree ("subject","scope","path");--> statement-breakpoint
CREATE INDEX "machine_auth_blocks_expires_idx" ON "machine_auth_blocks" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "machine_auth_blocks_created_idx" ON "machine_auth_blocks" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "machine_auth_login_addresses_last_idx" ON "machine_auth_login_addresses" USING btree ("account","last_at");