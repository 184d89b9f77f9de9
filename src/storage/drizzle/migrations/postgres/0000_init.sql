CREATE TABLE "machine_auth_api_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"environment" text NOT NULL,
	"hash" text NOT NULL,
	"pepper" text NOT NULL,
	"organization_id" text,
	"user_id" text,
	"permissions" jsonb NOT NULL,
	"ip_allowlist" jsonb NOT NULL,
	"rate_limit" jsonb,
	"monthly_quota" bigint,
	"enabled" boolean NOT NULL,
	"expires_at" bigint,
	"last_used_at" bigint,
	"created_at" bigint NOT NULL,
	"created_by" text NOT NULL,
	"revoked_at" bigint,
	"revoked_reason" text,
	"revoked_by" text,
	"rotated_from" text,
	"description" text,
	"metadata" jsonb,
	"search_text" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "machine_auth_audit" (
	"id" text PRIMARY KEY NOT NULL,
	"at" bigint NOT NULL,
	"action" text NOT NULL,
	"actor" text NOT NULL,
	"subject" text NOT NULL,
	"details" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "machine_auth_bearer_tokens" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"hash" text NOT NULL,
	"pepper" text NOT NULL,
	"user_id" text,
	"organization_id" text,
	"permissions" jsonb NOT NULL,
	"expires_at" bigint,
	"created_at" bigint NOT NULL,
	"revoked_at" bigint,
	"revoked_reason" text
);
--> statement-breakpoint
CREATE TABLE "machine_auth_changes" (
	"sequence" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "machine_auth_changes_sequence_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" bigint NOT NULL,
	"kind" text NOT NULL,
	"subject" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "machine_auth_organizations" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"status" text NOT NULL,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "machine_auth_refresh_families" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text,
	"client_id" text,
	"permissions" jsonb NOT NULL,
	"nonce" text NOT NULL,
	"secret_fingerprint" text NOT NULL,
	"sequence" bigint NOT NULL,
	"rotated_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL,
	"created_at" bigint NOT NULL,
	"revoked_at" bigint,
	"revoked_reason" text
);
--> statement-breakpoint
CREATE TABLE "machine_auth_roles" (
	"name" text PRIMARY KEY NOT NULL,
	"permissions" jsonb NOT NULL,
	"inherits" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "machine_auth_sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"hash" text NOT NULL,
	"user_id" text NOT NULL,
	"created_at" bigint NOT NULL,
	"last_seen_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL,
	"address" text,
	"user_agent" text
);
--> statement-breakpoint
CREATE TABLE "machine_auth_signing_keys" (
	"kid" text PRIMARY KEY NOT NULL,
	"algorithm" text NOT NULL,
	"public_jwk" jsonb,
	"encrypted_private_jwk" text NOT NULL,
	"encryption_key" text NOT NULL,
	"created_at" bigint NOT NULL,
	"retired_at" bigint
);
--> statement-breakpoint
CREATE TABLE "machine_auth_users" (
	"id" text PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"password_hash" text,
	"organization_id" text,
	"roles" jsonb NOT NULL,
	"status" text NOT NULL,
	"tokens_not_before" bigint NOT NULL,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "machine_auth_api_keys_created_idx" ON "machine_auth_api_keys" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "machine_auth_api_keys_organization_idx" ON "machine_auth_api_keys" USING btree ("organization_id","created_at","id");--> statement-breakpoint
CREATE INDEX "machine_auth_api_keys_user_idx" ON "machine_auth_api_keys" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "machine_auth_audit_at_idx" ON "machine_auth_audit" USING btree ("at","id");--> statement-breakpoint
CREATE INDEX "machine_auth_audit_action_idx" ON "machine_auth_audit" USING btree ("action","at","id");--> statement-breakpoint
CREATE INDEX "machine_auth_bearer_tokens_created_idx" ON "machine_auth_bearer_tokens" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "machine_auth_bearer_tokens_organization_idx" ON "machine_auth_bearer_tokens" USING btree ("organization_id");--> statement-breakpoint
CREATE INDEX "machine_auth_bearer_tokens_user_idx" ON "machine_auth_bearer_tokens" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "machine_auth_changes_at_idx" ON "machine_auth_changes" USING btree ("at");--> statement-breakpoint
CREATE UNIQUE INDEX "machine_auth_organizations_name_unique" ON "machine_auth_organizations" USING btree ("name");--> statement-breakpoint
CREATE INDEX "machine_auth_organizations_created_idx" ON "machine_auth_organizations" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "machine_auth_refresh_families_user_idx" ON "machine_auth_refresh_families" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "machine_auth_refresh_families_expires_idx" ON "machine_auth_refresh_families" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "machine_auth_sessions_hash_unique" ON "machine_auth_sessions" USING btree ("hash");--> statement-breakpoint
CREATE INDEX "machine_auth_sessions_user_idx" ON "machine_auth_sessions" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "machine_auth_sessions_expires_idx" ON "machine_auth_sessions" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "machine_auth_signing_keys_current_unique" ON "machine_auth_signing_keys" USING btree ("algorithm","encryption_key") WHERE retired_at is null;--> statement-breakpoint
CREATE UNIQUE INDEX "machine_auth_users_email_unique" ON "machine_auth_users" USING btree ("email");--> statement-breakpoint
CREATE INDEX "machine_auth_users_organization_idx" ON "machine_auth_users" USING btree ("organization_id","created_at","id");--> statement-breakpoint
CREATE INDEX "machine_auth_users_created_idx" ON "machine_auth_users" USING btree ("created_at","id");