using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace P2P.Cli.Tests.Support;

/// <summary>The schemas of docs/json.md and a validator of the part of JSON Schema that they use.</summary>
internal static partial class EventSchemas
{
    private static readonly Dictionary<string, JsonElement> s_schemas = Load();

    public static IReadOnlyCollection<string> Names => s_schemas.Keys;

    /// <summary>Checks one line and returns it.</summary>
    public static JsonElement Check(string line)
    {
        JsonElement json = JsonDocument.Parse(line).RootElement;
        string name = json.GetProperty("event").GetString()!;
        Assert.IsTrue(s_schemas.TryGetValue(name, out JsonElement schema), $"docs/json.md has no event {name}: {line}");
        var faults = new List<string>();
        Validate(json, schema, "$", faults);
        Assert.AreEqual("", string.Join("; ", faults), line);
        string[] order = [.. json.EnumerateObject().Take(2).Select(property => property.Name)];
        CollectionAssert.AreEqual(new[] { "event", "at" }, order, "every line begins alike: " + line);
        return json;
    }

    internal static void Validate(JsonElement value, JsonElement schema, string at, List<string> faults)
    {
        foreach (JsonProperty rule in schema.EnumerateObject())
        {
            if (value.ValueKind == JsonValueKind.Null && rule.Name is ("required" or "properties"))
                continue; // "type" says whether it may be
            switch (rule.Name)
            {
                case "type":
                    IEnumerable<string?> types = rule.Value.ValueKind == JsonValueKind.Array ? rule.Value.EnumerateArray().Select(type => type.GetString()) : [rule.Value.GetString()];
                    if (!types.Any(type => IsOfType(value, type!)))
                        faults.Add($"{at} is not {rule.Value}");
                    break;
                case "const":
                    if (value.ToString() != rule.Value.ToString())
                        faults.Add($"{at} is not {rule.Value}");
                    break;
                case "enum":
                    if (!rule.Value.EnumerateArray().Any(one => one.ToString() == value.ToString()))
                        faults.Add($"{at} is not one of {rule.Value}");
                    break;
                case "minimum":
                    if (value.ValueKind == JsonValueKind.Number && value.GetDouble() < rule.Value.GetDouble())
                        faults.Add($"{at} is below {rule.Value}");
                    break;
                case "pattern":
                    if (value.ValueKind == JsonValueKind.String && !Regex.IsMatch(value.GetString()!, rule.Value.GetString()!, RegexOptions.None, TimeSpan.FromSeconds(1)))
                        faults.Add($"{at} does not match {rule.Value}");
                    break;
                case "format":
                    if (!DateTimeOffset.TryParseExact(value.GetString(), "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _))
                        faults.Add($"{at} is no time");
                    break;
                case "required":
                    foreach (JsonElement name in rule.Value.EnumerateArray())
                    {
                        if (!value.TryGetProperty(name.GetString()!, out _))
                            faults.Add($"{at}.{name} is missing");
                    }

                    break;
                case "properties":
                    foreach (JsonProperty property in value.EnumerateObject())
                    {
                        if (rule.Value.TryGetProperty(property.Name, out JsonElement inner))
                            Validate(property.Value, inner, $"{at}.{property.Name}", faults);
                        else
                            faults.Add($"{at}.{property.Name} is not documented");
                    }

                    break;
                case "additionalProperties":
                    foreach (JsonProperty property in value.EnumerateObject())
                        Validate(property.Value, rule.Value, $"{at}.{property.Name}", faults);
                    break;
                case "items":
                    foreach (JsonElement item in value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : default) // "type" says whether it may be another
                        Validate(item, rule.Value, at + "[]", faults);
                    break;
                default:
                    faults.Add($"the validator does not know {rule.Name}");
                    break;
            }
        }
    }

    private static bool IsOfType(JsonElement value, string type) => type switch
    {
        "null" => value.ValueKind == JsonValueKind.Null,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind == JsonValueKind.Number,
        "string" => value.ValueKind == JsonValueKind.String,
        "array" => value.ValueKind == JsonValueKind.Array,
        "object" => value.ValueKind == JsonValueKind.Object,
        _ => false,
    };

    private static Dictionary<string, JsonElement> Load()
    {
        var schemas = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (Match block in Block().Matches(Repository.ReadDoc("json.md")))
            schemas.Add(block.Groups["name"].Value, JsonDocument.Parse(block.Groups["schema"].Value).RootElement);
        return schemas;
    }

    [GeneratedRegex(@"^### (?<name>\w+)\n(?:(?!^###|^```).*\n)*```json\n(?<schema>(?:(?!```).*\n)*)```", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Block();
}
