// SPDX-License-Identifier: Apache-2.0
#include "schema.h"

#define TEXT(record) static const unsigned char text_##record[]

TEXT(start) = {
#embed "../../Docs/schema/start.json"
};
TEXT(oomkill) = {
#embed "../../Docs/schema/oomkill.json"
};
TEXT(oomkill_end) = {
#embed "../../Docs/schema/oomkill_end.json"
};
TEXT(oomkill_userspace) = {
#embed "../../Docs/schema/oomkill_userspace.json"
};
TEXT(oomkill_explanation) = {
#embed "../../Docs/schema/oomkill_explanation.json"
};
TEXT(oomkill_summary) = {
#embed "../../Docs/schema/oomkill_summary.json"
};
TEXT(cachestat) = {
#embed "../../Docs/schema/cachestat.json"
};
TEXT(cachetop) = {
#embed "../../Docs/schema/cachetop.json"
};
TEXT(cachetop_interval) = {
#embed "../../Docs/schema/cachetop_interval.json"
};
TEXT(swapin) = {
#embed "../../Docs/schema/swapin.json"
};
TEXT(swapin_interval) = {
#embed "../../Docs/schema/swapin_interval.json"
};
TEXT(shmsnoop) = {
#embed "../../Docs/schema/shmsnoop.json"
};
TEXT(shmsnoop_summary) = {
#embed "../../Docs/schema/shmsnoop_summary.json"
};
TEXT(shm_segment) = {
#embed "../../Docs/schema/shm_segment.json"
};
TEXT(memleak) = {
#embed "../../Docs/schema/memleak.json"
};
TEXT(memleak_summary) = {
#embed "../../Docs/schema/memleak_summary.json"
};
TEXT(memleak_call) = {
#embed "../../Docs/schema/memleak_call.json"
};
TEXT(memleak_diff) = {
#embed "../../Docs/schema/memleak_diff.json"
};
TEXT(memleak_diff_summary) = {
#embed "../../Docs/schema/memleak_diff_summary.json"
};
TEXT(memleak_peak) = {
#embed "../../Docs/schema/memleak_peak.json"
};
TEXT(memleak_hooked) = {
#embed "../../Docs/schema/memleak_hooked.json"
};
TEXT(memleak_sampling) = {
#embed "../../Docs/schema/memleak_sampling.json"
};
TEXT(doctor_machine) = {
#embed "../../Docs/schema/doctor_machine.json"
};
TEXT(doctor_feature) = {
#embed "../../Docs/schema/doctor_feature.json"
};
TEXT(doctor_tool) = {
#embed "../../Docs/schema/doctor_tool.json"
};
TEXT(doctor_verifier) = {
#embed "../../Docs/schema/doctor_verifier.json"
};
TEXT(memstall) = {
#embed "../../Docs/schema/memstall.json"
};
TEXT(memstall_cgroup) = {
#embed "../../Docs/schema/memstall_cgroup.json"
};
TEXT(memstall_culprit) = {
#embed "../../Docs/schema/memstall_culprit.json"
};
TEXT(memstall_eviction) = {
#embed "../../Docs/schema/memstall_eviction.json"
};
TEXT(memstall_reclaim) = {
#embed "../../Docs/schema/memstall_reclaim.json"
};
TEXT(memstall_interval) = {
#embed "../../Docs/schema/memstall_interval.json"
};
TEXT(memstall_event) = {
#embed "../../Docs/schema/memstall_event.json"
};
TEXT(memstall_summary) = {
#embed "../../Docs/schema/memstall_summary.json"
};
TEXT(meminfo) = {
#embed "../../Docs/schema/meminfo.json"
};
TEXT(meminfo_detail) = {
#embed "../../Docs/schema/meminfo_detail.json"
};
TEXT(meminfo_hint) = {
#embed "../../Docs/schema/meminfo_hint.json"
};
TEXT(meminfo_process) = {
#embed "../../Docs/schema/meminfo_process.json"
};
TEXT(meminfo_cgroup) = {
#embed "../../Docs/schema/meminfo_cgroup.json"
};
TEXT(meminfo_file) = {
#embed "../../Docs/schema/meminfo_file.json"
};
TEXT(meminfo_unaccounted) = {
#embed "../../Docs/schema/meminfo_unaccounted.json"
};
TEXT(meminfo_zone) = {
#embed "../../Docs/schema/meminfo_zone.json"
};
TEXT(meminfo_node) = {
#embed "../../Docs/schema/meminfo_node.json"
};
TEXT(growth) = {
#embed "../../Docs/schema/growth.json"
};
TEXT(growth_summary) = {
#embed "../../Docs/schema/growth_summary.json"
};
/* make new-tool: bytes go above this line */

#define SCHEMA(record) \
	{ \
		.type = #record, .text = text_##record, .size = sizeof(text_##record) \
	}

static const struct record_schema schemas[] = {
	SCHEMA(start),
	SCHEMA(oomkill),
	SCHEMA(oomkill_end),
	SCHEMA(oomkill_userspace),
	SCHEMA(oomkill_explanation),
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
	SCHEMA(memleak_diff),
	SCHEMA(memleak_diff_summary),
	SCHEMA(memleak_peak),
	SCHEMA(memleak_hooked),
	SCHEMA(memleak_sampling),
	SCHEMA(memstall),
	SCHEMA(memstall_cgroup),
	SCHEMA(memstall_culprit),
	SCHEMA(memstall_eviction),
	SCHEMA(memstall_reclaim),
	SCHEMA(memstall_interval),
	SCHEMA(memstall_event),
	SCHEMA(memstall_summary),
	SCHEMA(meminfo),
	SCHEMA(meminfo_detail),
	SCHEMA(meminfo_hint),
	SCHEMA(meminfo_process),
	SCHEMA(meminfo_cgroup),
	SCHEMA(meminfo_file),
	SCHEMA(meminfo_unaccounted),
	SCHEMA(meminfo_zone),
	SCHEMA(meminfo_node),
	SCHEMA(growth),
	SCHEMA(growth_summary),
	/* make new-tool: a row goes above this line */
	SCHEMA(doctor_machine),
	SCHEMA(doctor_feature),
	SCHEMA(doctor_tool),
	SCHEMA(doctor_verifier),
};

const struct record_schema *record_schema_at(size_t index)
{
	return index < sizeof(schemas) / sizeof(schemas[0]) ? &schemas[index] : NULL;
}
