// SPDX-License-Identifier: Apache-2.0

extension ByteWriter {
    /// A record's body.
    mutating func add(_ record: LeakRecord, _ tables: inout LeakRecordTables) {
        switch record {
        case .run(let run): add(run, &tables)
        case .began(let begin): add(begin, &tables)
        case .hooked(let hooked):
            add(hooked.file, &tables)
            add(hooked.functions, &tables)
            add(hooked.missing, &tables)
            add(hooked.text, &tables)
        case .site(let captured, let site): add(captured, site, &tables)
        case .look(let look): add(look, tables)
        case .report(let report, let names):
            add(report, &tables)
            add(short: UInt64(names.count))
            for (pid, name) in names.sorted(by: { $0.key < $1.key }) {
                add(short: UInt64(pid))
                add(name, &tables)
            }
        case .gone(let pid): add(short: UInt64(pid))
        case .note(let text): add(long: text)
        case .baseline(let time): add(time)
        case .end(let isFull): add(isFull)
        case .sampling(let sampling):
            add(UInt64(bitPattern: sampling.time.nanoseconds))
            add(sampling.overheadPercent)
            add(short: sampling.rate)
            for flag in [sampling.isMet, sampling.isSame, sampling.isMore] { add(flag) }
        }
    }

    private mutating func add(_ run: LeakRun, _ tables: inout LeakRecordTables) {
        add(run.start)
        add(run.patience)
        for flag in [run.mayLeak, run.hasAges, run.seesOldFrees, run.hasSeveralProcesses, run.isKernel] { add(flag) }
        add(run.target, &tables)
    }

    private mutating func add(_ begin: LeakBegin, _ tables: inout LeakRecordTables) {
        add(UInt64(bitPattern: begin.time.nanoseconds))
        add(begin.version, &tables)
        add(begin.kernel, &tables)
        add(short: UInt64(begin.pageBytes))
        add(short: UInt64(begin.rungs.count))
        for rung in begin.rungs {
            add(rung.ladder, &tables)
            add(rung.rung, &tables)
        }
        add(begin.header, &tables)
    }

    /// To be called once all sites of the record have been written.
    private mutating func add(_ look: LeakLook, _ tables: LeakRecordTables) {
        add(look.time)
        add(UInt64(bitPattern: look.wall.nanoseconds))
        add(optional: look.unmatched)
        add(look.made != nil)
        let sites = look.sites.filter { tables.sites[$0] != nil }
        add(short: UInt64(sites.count))
        for captured in sites {
            add(short: tables.sites[captured] ?? 0)
            add(look.sums[captured] ?? OutstandingSum(), since: look.time)
            if let made = look.made { add(short: made[captured] ?? 0) }
        }
        // sites that had something outstanding, and have nothing now
        let others = look.made?.filter { look.sums[$0.key] == nil && tables.sites[$0.key] != nil } ?? [:]
        add(short: UInt64(others.count))
        for (captured, count) in others.sorted(by: { ($0.key.pid, $0.key.stack) < ($1.key.pid, $1.key.stack) }) {
            add(short: tables.sites[captured] ?? 0)
            add(short: count)
        }
    }
}

extension ByteReader {
    /// A record's body.
    mutating func record(_ kind: UInt8, _ lists: inout LeakRecordLists) -> LeakRecord? {
        switch kind {
        case 1: return run(&lists).map { .run($0) }
        case 2: return begin(&lists).map { .began($0) }
        case 3:
            guard case .some(.some(let file)) = text(&lists), let functions = texts(&lists),
                let missing = texts(&lists), case .some(.some(let text)) = text(&lists)
            else { return nil }
            return .hooked(LeakHooked(file: file, functions: functions, missing: missing, text: text))
        case 4: return site(&lists).map { .site($0.0, $0.1) }
        case 5: return look(lists).map { .look($0) }
        case 6:
            guard let report = report(&lists), let count = count() else { return nil }
            var names: [UInt32: String] = [:]
            for _ in 0..<count {
                guard let pid = short().flatMap({ UInt32(exactly: $0) }),
                    case .some(.some(let name)) = text(&lists)
                else { return nil }
                names[pid] = name
            }
            return .report(report, names: names)
        case 7: return short().flatMap { UInt32(exactly: $0) }.map { .gone($0) }
        case 8: return longText().map { .note($0) }
        case 9: return flag().map { .end(isFull: $0) }
        case 11: return moment().map { .baseline($0) }
        case 10:
            guard let time = number(UInt64.self), let percent = double(), let rate = short(), let isMet = flag(),
                let isSame = flag(), let isMore = flag()
            else { return nil }
            var sampling = LeakSampling(
                time: WallTime(nanoseconds: Int64(bitPattern: time)), overheadPercent: percent, rate: rate,
                before: rate, isMet: isMet)
            (sampling.isSame, sampling.isMore) = (isSame, isMore)
            return .sampling(sampling)
        default: return nil
        }
    }

    private mutating func run(_ lists: inout LeakRecordLists) -> LeakRun? {
        guard let start = moment(), let patience = double(), patience >= 0.01, patience < 1e9,
            let mayLeak = flag(), let hasAges = flag(), let seesOldFrees = flag(), let hasSeveral = flag(),
            let isKernel = flag(),
            case .some(.some(let target)) = text(&lists)
        else { return nil }
        return LeakRun(
            start: start, patience: patience, mayLeak: mayLeak, hasAges: hasAges, seesOldFrees: seesOldFrees,
            hasSeveralProcesses: hasSeveral, isKernel: isKernel, target: target)
    }

    private mutating func begin(_ lists: inout LeakRecordLists) -> LeakBegin? {
        guard let time = number(UInt64.self), case .some(.some(let version)) = text(&lists),
            case .some(.some(let kernel)) = text(&lists), let pageBytes = short().flatMap({ Int(exactly: $0) }),
            let count = count()
        else { return nil }
        var rungs: [LeakBegin.Rung] = []
        for _ in 0..<count {
            guard case .some(.some(let ladder)) = text(&lists), let rung = text(&lists) else { return nil }
            rungs.append(LeakBegin.Rung(ladder: ladder, rung: rung))
        }
        guard let header = texts(&lists) else { return nil }
        return LeakBegin(
            time: WallTime(nanoseconds: Int64(bitPattern: time)), version: version, kernel: kernel,
            pageBytes: pageBytes, rungs: rungs, header: header)
    }

    private mutating func look(_ lists: LeakRecordLists) -> LeakLook? {
        guard let time = moment(), let wall = number(UInt64.self), let unmatched = optional(), let hasMade = flag(),
            let count = count()
        else { return nil }
        var look = LeakLook(
            time: time, wall: WallTime(nanoseconds: Int64(bitPattern: wall)), sums: [:], made: hasMade ? [:] : nil,
            unmatched: unmatched)
        for _ in 0..<count {
            guard let captured = captured(lists), let sum = sum(since: time) else { return nil }
            look.sums[captured] = sum
            if hasMade {
                guard let made = short() else { return nil }
                if made > 0 { look.made?[captured] = made }
            }
        }
        guard let others = self.count() else { return nil }
        for _ in 0..<others {
            guard let captured = captured(lists), let made = short() else { return nil }
            look.made?[captured] = made
        }
        return look
    }

    /// A time of CLOCK_MONOTONIC; more than a century is damage.
    mutating func moment() -> UInt64? {
        guard let time = number(UInt64.self), time < 1 << 62 else { return nil }
        return time
    }

    private mutating func captured(_ lists: LeakRecordLists) -> AllocationSite? {
        guard let number = short(), number < UInt64(lists.sites.count) else { return nil }
        return lists.sites[Int(number)]
    }
}
