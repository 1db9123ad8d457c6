// SPDX-License-Identifier: Apache-2.0
#include "schema.h"

/* A new type of record: its bytes here, its row below. */
static const unsigned char start[] = {
#embed "../../Docs/schema/start.json"
};
static const unsigned char oomkill[] = {
#embed "../../Docs/schema/oomkill.json"
};
static const unsigned char oomkill_end[] = {
#embed "../../Docs/schema/oomkill_end.json"
};
static const unsigned char oomkill_summary[] = {
#embed "../../Docs/schema/oomkill_summary.json"
};
static const unsigned char cachestat[] = {
#embed "../../Docs/schema/cachestat.json"
};
static const unsigned char cachetop[] = {
#embed "../../Docs/schema/cachetop.json"
};
static const unsigned char cachetop_interval[] = {
#embed "../../Docs/schema/cachetop_interval.json"
};
static const unsigned char swapin[] = {
#embed "../../Docs/schema/swapin.json"
};
static const unsigned char swapin_interval[] = {
#embed "../../Docs/schema/swapin_interval.json"
};
static const unsigned char shmsnoop[] = {
#embed "../../Docs/schema/shmsnoop.json"
};
static const unsigned char shmsnoop_summary[] = {
#embed "../../Docs/schema/shmsnoop_summary.json"
};
static const unsigned char shm_segment[] = {
#embed "../../Docs/schema/shm_segment.json"
};
static const unsigned char memleak[] = {
#embed "../../Docs/schema/memleak.json"
};
static const unsigned char memleak_summary[] = {
#embed "../../Docs/schema/memleak_summary.json"
};
static const unsigned char memleak_call[] = {
#embed "../../Docs/schema/memleak_call.json"
};
static const unsigned char memleak_hooked[] = {
#embed "../../Docs/schema/memleak_hooked.json"
};
static const unsigned char memleak_sampling[] = {
#embed "../../Docs/schema/memleak_sampling.json"
};
static const unsigned char doctor_machine[] = {
#embed "../../Docs/schema/doctor_machine.json"
};
static const unsigned char doctor_feature[] = {
#embed "../../Docs/schema/doctor_feature.json"
};
static const unsigned char doctor_tool[] = {
#embed "../../Docs/schema/doctor_tool.json"
};
static const unsigned char doctor_verifier[] = {
#embed "../../Docs/schema/doctor_verifier.json"
};

#define SCHEMA(type) \
	{ \
#type, type, sizeof(type) \
	}

static const struct record_schema schemas[] = {
	SCHEMA(start),
	SCHEMA(oomkill),
	SCHEMA(oomkill_end),
	SCHEMA(oomkill_summary),
	SCHEMA(cachestat),
	SCHEMA(cachetop),
	SCHEMA(cachetop_interval),
	SCHEMA(swapin),
	SCHEMA(swapin_interval),
	SCHEMA(shmsnoop),
	SCHEMA(shmsnoop_summary),
	SCHEMA(shm_segment),
	SCHEMA(memleak),
	SCHEMA(memleak_summary),
	SCHEMA(memleak_call),
	SCHEMA(memleak_hooked),
	SCHEMA(memleak_sampling),
	SCHEMA(doctor_machine),
	SCHEMA(doctor_feature),
	SCHEMA(doctor_tool),
	SCHEMA(doctor_verifier),
};

const struct record_schema *record_schema_at(size_t index)
{
	return index < sizeof(schemas) / sizeof(schemas[0]) ? &schemas[index] : NULL;
}
