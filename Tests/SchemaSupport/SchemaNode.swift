// SPDX-License-Identifier: Apache-2.0
import Foundation

/// One schema within a schema, with what it demands.
struct SchemaNode: Sendable {
    private static let known: Set<String> = [
        "$schema", "$id", "$defs", "title", "description", "x-unit", "x-null", "x-null-kernels", "x-when",
        "$ref", "type", "const", "enum", "minimum", "maximum", "pattern", "format", "items", "properties", "required",
        "additionalProperties",
    ]

    private enum Others: Sendable {
        case allowed, forbidden
        indirect case like(SchemaNode)
    }

    private var reference: String?
    private var types: Set<String>?
    /// Strings and null, the only ones that are used.
    private var choices: [String?]?
    private var minimum: Double?
    private var maximum: Double?
    private var pattern: NSRegularExpression?
    private var isTime = false
    private var items: [SchemaNode] = []
    private var properties: [String: SchemaNode] = [:]
    private var required: [String] = []
    private var others = Others.allowed

    init(_ schema: Any, at place: String) throws(SchemaError) {
        guard let schema = schema as? [String: Any] else {
            throw SchemaError(description: "\(place) is no schema")
        }
        if let unknown = schema.keys.sorted().first(where: { !Self.known.contains($0) }) {
            throw SchemaError(description: "\(place): the keyword \(unknown) is not known")
        }
        if let target = schema["$ref"] {
            guard let target = target as? String, target.hasPrefix("#/$defs/") else {
                throw SchemaError(description: "\(place): $ref leads out of $defs")
            }
            reference = String(target.dropFirst("#/$defs/".count))
        }
        if let type = schema["type"] { types = Set(type as? [String] ?? [type as? String ?? "?"]) }
        if let constant = schema["const"] as? String { choices = [constant] }
        if let choices = schema["enum"] as? [Any] { self.choices = choices.map { $0 as? String } }
        minimum = (schema["minimum"] as? NSNumber)?.doubleValue
        maximum = (schema["maximum"] as? NSNumber)?.doubleValue
        if let pattern = schema["pattern"] as? String {
            do {
                self.pattern = try NSRegularExpression(pattern: pattern)
            } catch {
                throw SchemaError(description: "\(place): the pattern \(pattern) is none")
            }
        }
        if let format = schema["format"] as? String {
            guard format == "date-time" else { throw SchemaError(description: "\(place): format \(format)") }
            isTime = true
        }
        if let items = schema["items"] { self.items = [try SchemaNode(items, at: place + "[]")] }
        for (key, property) in schema["properties"] as? [String: Any] ?? [:] {
            properties[key] = try SchemaNode(property, at: place + "." + key)
        }
        required = schema["required"] as? [String] ?? []
        switch schema["additionalProperties"] {
        case nil: break
        case let isAllowed as Bool: others = isAllowed ? .allowed : .forbidden
        case let like?: others = .like(try SchemaNode(like, at: place + ".*"))
        }
    }

    func check(_ value: Any, at place: String, _ definitions: [String: SchemaNode], _ findings: inout [String]) {
        if let reference {
            guard let target = definitions[reference] else { return findings.append("\(place): no $defs/\(reference)") }
            target.check(value, at: place, definitions, &findings)
        }
        let type = Self.type(of: value)
        if let types, !types.contains(type), !(type == "integer" && types.contains("number")) {
            return findings.append("\(place) is of type \(type)")
        }
        if let choices, !choices.contains(value as? String) { findings.append("\(place) is \(value)") }
        switch value {
        case let number as NSNumber where type != "boolean": check(number, at: place, &findings)
        case let text as String: check(text, at: place, &findings)
        case let values as [Any]:
            guard let item = items.first else { break }
            for (index, value) in values.enumerated() {
                item.check(value, at: "\(place)[\(index)]", definitions, &findings)
            }
        case let object as [String: Any]: check(object, at: place, definitions, &findings)
        default: break
        }
    }

    private func check(_ number: NSNumber, at place: String, _ findings: inout [String]) {
        let value = number.doubleValue
        if let minimum, value < minimum { findings.append("\(place) is \(value), below \(minimum)") }
        if let maximum, value > maximum { findings.append("\(place) is \(value), above \(maximum)") }
        if abs(value) >= 0x1p53 {
            findings.append("\(place) is \(value): beyond 2^53 a number is a hexadecimal string")
        }
    }

    private func check(_ text: String, at place: String, _ findings: inout [String]) {
        if let pattern, pattern.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) == nil {
            findings.append("\(place) is \(text), not \(pattern.pattern)")
        }
        if isTime, text.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z/) == nil {
            findings.append("\(place) is \(text), no time")
        }
    }

    private func check(
        _ object: [String: Any], at place: String, _ definitions: [String: SchemaNode], _ findings: inout [String]
    ) {
        for key in required where object[key] == nil { findings.append("\(place).\(key) is missing") }
        for (key, value) in object {
            if let property = properties[key] {
                property.check(value, at: "\(place).\(key)", definitions, &findings)
                continue
            }
            switch others {
            case .allowed: break
            case .forbidden: findings.append("\(place).\(key) is not in the schema")
            case .like(let schema): schema.check(value, at: "\(place).\(key)", definitions, &findings)
            }
        }
    }

    private static func type(of value: Any) -> String {
        switch value {
        case is NSNull: return "null"
        case let number as NSNumber:
            // "c", a char, is what a boolean is kept as; JSON gives no other chars
            if number.objCType.pointee == CChar(UInt8(ascii: "c"))
                || number.objCType.pointee == CChar(UInt8(ascii: "B"))
            {
                return "boolean"
            }
            return number.doubleValue == number.doubleValue.rounded() ? "integer" : "number"
        case is String: return "string"
        case is [Any]: return "array"
        case is [String: Any]: return "object"
        default: return "?"
        }
    }
}
