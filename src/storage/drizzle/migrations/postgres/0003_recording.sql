CREATE TABLE "machine_auth_request_log" (
	"id" text PRIMARY KEY NOT NULL,
	"at" bigint NOT NULL,
	"request_id" text NOT NULL,
	"method" text NOT NULL,
	"path" text NOT NULL,
	"route" text,
	"status" bigint NOT NULL,
	"duration" bigint NOT NULL,
	"address" text,
	"credential" text,
	"key_id" text,
	"user_id" text,
	"organization_id" text,
	"code" text,
	"query" text,
	"request_headers" jsonb,
	"request_body" text,
	"response_headers" jsonb,
	"response_body" text
);
--> statement-breakpoint
CREATE TABLE "machine_auth_usage" (
	"key_id" text NOT NULL,
	"period" text NOT NULL,
	"start" bigint NOT NULL,
	"organization_id" text NOT NULL,
	"method" text NOT NULL,
	"route" text NOT NULL,
	"status" bigint NOT NULL,
	"requests" bigint NOT NULL,
	"duration" bigint NOT NULL,
	"latency_0" bigint NOT NULL,
	"latency_1" bigint NOT NULL,
	"latency_2" bigint NOT NULL,
	"latency_3" bigint NOT NULL,
	"latency_4" bigint NOT NULL,
	"latency_5" bigint NOT NULL,
	"latency_6" bigint NOT NULL,
	"latency_7" bigint NOT NULL,
	"latency_8" bigint NOT NULL,
	"latency_9" bigint NOT NULL,
	"latency_10" bigint NOT NULL,
	"latency_11" bigint NOT NULL,
	CONSTRAINT "machine_auth_usage_key_id_period_start_organization_id_method_route_status_pk" PRIMARY KEY("key_id","period","start","organization_id","method","route","status")
);
--> statement-breakpoint
CREATE TABLE "machine_auth_usage_checkpoints" (
	"journal" text PRIMARY KEY NOT NULL,
	"position" bigint NOT NULL,
	"target" bigint NOT NULL,
	"written" bigint NOT NULL,
	"updated_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "machine_auth_usage_receipts" (
	"key_id" text NOT NULL,
	"id" text NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "machine_auth_usage_receipts_key_id_id_pk" PRIMARY KEY("key_id","id")
);
--> statement-breakpoint
CREATE INDEX "machine_auth_request_log_at_idx" ON "machine_auth_request_log" USING btree ("at","id");--> statement-breakpoint
CREATE INDEX "machine_auth_request_log_key_idx" ON "machine_auth_request_log" USING btree ("key_id","at","id");--> statement-breakpoint
CREATE INDEX "machine_auth_request_log_organization_idx" ON "machine_auth_request_log" USING btree ("organization_id","at","id");--> statement-breakpoint
CREATE INDEX "machine_auth_request_log_user_idx" ON "machine_auth_request_log" USING btree ("user_id","at","id") WHERE user_id is not null;--> statement-breakpoint
CREATE INDEX "machine_auth_request_log_request_idx" ON "machine_auth_request_log" USING btree ("request_id","at","id");--> statement-breakpoint
CREATE INDEX "machine_auth_usage_start_idx" ON "machine_auth_usage" USING btree ("period","start");--> statement-breakpoint
CREATE INDEX "machine_auth_usage_checkpoints_updated_idx" ON "machine_auth_usage_checkpoints" USING btree ("updated_at");--> statement-breakpoint
CREATE INDEX "machine_auth_usage_receipts_at_idx" ON "machine_auth_usage_receipts" USING btree ("at");