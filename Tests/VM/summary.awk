# SPDX-License-Identifier: Apache-2.0
# The matrix's closing table. Variables: out (the directory of results), kernels (names, in order),
# rungs (file of all rungs with their kernels, or /dev/null: see matrix), whole (1: a rung that its kernels did not
# exercise is a problem), ladders (1: so is a ladder of which no kernel exercised a rung). Ends with 1 on any failure or missing result.

function bad(text) { problems[++problem_count] = text }

function tool_seen(name) { if (!(name in known)) { known[name]; tools[++tool_count] = name } }

function read_results(kernel,    file, line, f, n, status, used, i) {
  file = out "/" kernel "/results.tsv"
  while ((getline line < file) > 0) {
    if (line == "") continue
    n = split(line, f, "\t")
    if (f[1] == "verifier") continue
    status = f[4]
    if (n < 4 || status !~ /^(pass|fail|unsupported|skip)$/) { bad(kernel ": not a result line: " line); continue }
    tool_seen(f[1])
    results[kernel]++
    # A skip is a hole in what was asked for, so it fails.
    count[f[1], kernel, status == "skip" ? "fail" : status]++
    if (status == "fail" || status == "skip") bad(kernel ": " f[1] " " f[3] " [" f[2] "]: " f[4] " " f[5])
    if (status == "unsupported") { reason[f[1], kernel] = f[5]; refused[f[1], kernel] = refused[f[1], kernel] " " f[2] " " }
    if (status == "pass" || status == "fail") {
      n = split(f[2], used, ",")
      for (i = 1; i <= n; i++) if (used[i] != "" && used[i] != "-" && !((f[1], used[i], kernel) in exercised)) {
        exercised[f[1], used[i], kernel]
        if (!((f[1], used[i]) in on)) rung_list[f[1]] = rung_list[f[1]] SUBSEP used[i]
        on[f[1], used[i]] = on[f[1], used[i]] " " kernel
      }
    }
  }
  close(file)
  file = out "/" kernel "/status"
  if ((getline line < file) <= 0) line = "none"
  close(file)
  if (line != 0) bad(kernel ": exit status " line)
  if (!results[kernel]) bad(kernel ": no result at all")
}

function cell(tool, kernel,    p, f, u) {
  p = count[tool, kernel, "pass"]; f = count[tool, kernel, "fail"]; u = count[tool, kernel, "unsupported"]
  if (f) return "fail " f
  if (p) return "pass " p (u ? ", unsupported " u : "")
  if (u) return "unsupported: " reason[tool, kernel]
  bad(kernel ": no result for " tool)
  return "no result"
}

# A rung is named alone in a result, or as ladder/rung where two ladders of a tool share its name.
function was_used(tool, ladder, rung, kernel) {
  return ((tool, rung, kernel) in exercised) || ((tool, ladder "/" rung, kernel) in exercised)
}

# Does a kernel lack a rung, by its name or by its mechanism's, for a reason that stands in its results?
function was_refused(tool, ladder, rung, kernel,    names) {
  names = refused[tool, kernel]
  for (;;) {
    if (index(names, " " ladder "/" rung " ")) return 1
    if (!sub(/_[^_]*$/, "", rung)) return 0
  }
}

# A version's place in the order of versions: 6.12 is behind 6.2.
function rank(version,    part) { split(version, part, "."); return part[1] * 1000 + part[2] }

function check_rung(tool, ladder, rung, first, last,    k, name, used, inside, backport, is_in) {
  backport = sub(/\*$/, "", first)
  for (k = 1; k <= kernel_count; k++) {
    name = kernel[k]
    is_in = (first ~ /^[0-9]/ ? rank(name) >= rank(first) : 1) && (last ~ /^[0-9]/ ? rank(name) <= rank(last) : 1)
    if (was_used(tool, ladder, rung, name)) {
      used++
      if (!is_in && !(backport && rank(name) < rank(first)))
        bad(name ": " tool " used " ladder "/" rung ", which is true on " first " to " last)
    }
    if (is_in) inside++
    # users get the first of the ladder that is true here, or was made so by a backport
    if (((tool, ladder, name) in best) || !is_in && !was_used(tool, ladder, rung, name)) continue
    best[tool, ladder, name] = rung
    if (whole && results[name] && !was_used(tool, ladder, rung, name) && !was_refused(tool, ladder, rung, name))
      bad(name ": did not exercise " tool "'s best rung, " ladder "/" rung)
  }
  ladder_used[tool, ladder] += used
  if (used) return
  if (!unused++) print "\nrungs no kernel exercised:"
  print "  " tool " " ladder " " rung (inside ? "" : " (none of these kernels is in its range)")
  if (whole && inside) bad("no kernel exercised " tool "'s " ladder " by " rung)
}

BEGIN {
  kernel_count = split(kernels, kernel, " ")
  for (k = 1; k <= kernel_count; k++) read_results(kernel[k])
  for (t = 1; t <= tool_count; t++) for (k = 1; k <= kernel_count; k++) {
    text = table[t, k] = cell(tools[t], kernel[k])
    if (length(text) > width[k]) width[k] = length(text)
    if (length(tools[t]) > first) first = length(tools[t])
  }
  printf "%-*s", first, ""
  for (k = 1; k <= kernel_count; k++) printf "  %-*s", width[k], kernel[k]
  print ""
  for (t = 1; t <= tool_count; t++) {
    printf "%-*s", first, tools[t]
    for (k = 1; k <= kernel_count; k++) printf "  %-*s", width[k], table[t, k]
    print ""
  }
  for (t = 1; t <= tool_count; t++) {
    n = split(substr(rung_list[tools[t]], 2), rung, SUBSEP)
    if (n) print "\nrungs exercised, " tools[t] ":"
    for (r = 1; r <= n; r++) print "  " rung[r] ":" on[tools[t], rung[r]]
  }
  while ((getline line < rungs) > 0) {
    if (line ~ /^#/ || split(line, f, "\t") < 3) continue
    check_rung(f[1], f[2], f[3], f[4], f[5])
  }
  for (l in ladder_used) if (ladders && !ladder_used[l]) {
    split(l, f, SUBSEP)
    bad("no kernel exercised " f[1] "'s " f[2])
  }
  if (problem_count) print "\nproblems:"
  for (p = 1; p <= problem_count; p++) print "  " problems[p]
  print ""
  exit problem_count > 0
}
