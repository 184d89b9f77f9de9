CREATE TABLE "machine_auth_audit_marks" (
	"name" text PRIMARY KEY NOT NULL,
	"sequence" bigint NOT NULL,
	"at" bigint NOT NULL,
	"mac" text NOT NULL,
	"mac_key" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "machine_auth_idempotency" (
	"principal" text NOT NULL,
	"endpoint" text NOT NULL,
	"key" text NOT NULL,
	"fingerprint" text NOT NULL,
	"answer" jsonb,
	"created_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL,
	CONSTRAINT "machine_auth_idempotency_principal_endpoint_key_pk" PRIMARY KEY("principal","endpoint","key")
);
--> statement-breakpoint
CREATE TABLE "machine_auth_permissions" (
	"name" text PRIMARY KEY NOT NULL,
	"module" text,
	"label" text NOT NULL,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
DROP INDEX "machine_auth_api_keys_user_idx";--> statement-breakpoint
ALTER TABLE "machine_auth_api_keys" ADD COLUMN "credits_version" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "machine_auth_api_keys" ADD COLUMN "expiry_warned_at" bigint;--> statement-breakpoint
ALTER TABLE "machine_auth_api_keys" ADD COLUMN "lookup" text;--> statement-breakpoint
ALTER TABLE "machine_auth_audit" ADD COLUMN "organization_id" text;--> statement-breakpoint
ALTER TABLE "machine_auth_audit" ADD COLUMN "address" text;--> statement-breakpoint
ALTER TABLE "machine_auth_audit" ADD COLUMN "request_id" text;--> statement-breakpoint
ALTER TABLE "machine_auth_audit" ADD COLUMN "sequence" bigint;--> statement-breakpoint
ALTER TABLE "machine_auth_audit" ADD COLUMN "mac" text;--> statement-breakpoint
ALTER TABLE "machine_auth_audit" ADD COLUMN "mac_key" text;--> statement-breakpoint
ALTER TABLE "machine_auth_organizations" ADD COLUMN "max_permissions" jsonb;--> statement-breakpoint
ALTER TABLE "machine_auth_organizations" ADD COLUMN "max_key_lifetime" bigint;--> statement-breakpoint
CREATE INDEX "machine_auth_idempotency_expires_idx" ON "machine_auth_idempotency" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "machine_auth_api_keys_name_idx" ON "machine_auth_api_keys" USING btree ("name","id");--> statement-breakpoint
CREATE INDEX "machine_auth_api_keys_organization_name_idx" ON "machine_auth_api_keys" USING btree ("organization_id","name","id");--> statement-breakpoint
CREATE INDEX "machine_auth_api_keys_used_idx" ON "machine_auth_api_keys" USING btree ((case when last_used_at is null then 0 else last_used_at end),"id");--> statement-breakpoint
CREATE INDEX "machine_auth_api_keys_organization_used_idx" ON "machine_auth_api_keys" USING btree ("organization_id",(case when last_used_at is null then 0 else last_used_at end),"id");--> statement-breakpoint
CREATE INDEX "machine_auth_api_keys_unrevoked_idx" ON "machine_auth_api_keys" USING btree ("organization_id","revoked_at") WHERE revoked_at is null;--> statement-breakpoint
CREATE INDEX "machine_auth_api_keys_expires_idx" ON "machine_auth_api_keys" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "machine_auth_api_keys_rotated_unique" ON "machine_auth_api_keys" USING btree ("rotated_from");--> statement-breakpoint
CREATE UNIQUE INDEX "machine_auth_api_keys_lookup_unique" ON "machine_auth_api_keys" USING btree ("lookup");--> statement-breakpoint
CREATE INDEX "machine_auth_audit_subject_idx" ON "machine_auth_audit" USING btree ("subject","at","id");--> statement-breakpoint
CREATE INDEX "machine_auth_audit_organization_idx" ON "machine_auth_audit" USING btree ("organization_id","at","id");--> statement-breakpoint
CREATE INDEX "machine_auth_audit_actor_idx" ON "machine_auth_audit" USING btree ("actor","at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "machine_auth_audit_sequence_unique" ON "machine_auth_audit" USING btree ("sequence") WHERE sequence is not null;--> statement-breakpoint
CREATE INDEX "machine_auth_audit_unsealed_idx" ON "machine_auth_audit" USING btree ("at","id") WHERE sequence is null;--> statement-breakpoint
CREATE INDEX "machine_auth_api_keys_user_idx" ON "machine_auth_api_keys" USING btree ("user_id","created_at","id");