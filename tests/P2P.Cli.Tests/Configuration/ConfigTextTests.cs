using System.Text;
using P2P.Cli.Configuration;

namespace P2P.Cli.Tests.Configuration;

/// <summary>Goal: a change of one key leaves every other byte as it is, whatever the file looks like. Each case shows the text before and after.</summary>
[TestClass]
public sealed class ConfigTextTests
{
    [TestMethod]
    [DataRow("", "{\n  \"timeout\": \"5m\"\n}\n", DisplayName = "an empty file")]
    [DataRow(" \n", "{\n  \"timeout\": \"5m\"\n}\n", DisplayName = "a blank file")]
    [DataRow("{}", "{\n  \"timeout\": \"5m\"\n}", DisplayName = "no keys")]
    [DataRow("{\n}\n", "{\n  \"timeout\": \"5m\"\n}\n", DisplayName = "no keys, two lines")]
    [DataRow("{\n  // nothing yet\n}\n", "{\n  // nothing yet\n  \"timeout\": \"5m\"\n}\n", DisplayName = "a comment alone")]
    [DataRow("{ \"timeout\": \"1h\" }", "{ \"timeout\": \"5m\" }", DisplayName = "replaced")]
    [DataRow("{\n  \"timeout\" : \"1h\" , // why\n  \"quiet\": true\n}", "{\n  \"timeout\" : \"5m\" , // why\n  \"quiet\": true\n}", DisplayName = "replaced between comments")]
    [DataRow("{ \"timeout\": \"1h\", \"timeout\": \"2h\" }", "{ \"timeout\": \"1h\", \"timeout\": \"5m\" }", DisplayName = "of two the one that counts")]
    [DataRow("{ \"timeout\": null }", "{ \"timeout\": \"5m\" }", DisplayName = "a fault is mended")]
    [DataRow("{ \"timeout\": {\"a\": 1} }", "{ \"timeout\": \"5m\" }", DisplayName = "an object is mended")]
    [DataRow("{ \"quiet\": true }", "{ \"quiet\": true, \"timeout\": \"5m\" }", DisplayName = "added on the line")]
    [DataRow("{ \"quiet\": true, }", "{ \"quiet\": true, \"timeout\": \"5m\", }", DisplayName = "added on the line behind a comma")]
    [DataRow("{ \"quiet\": true /* really */ }", "{ \"quiet\": true, /* really */ \"timeout\": \"5m\" }", DisplayName = "added on the line behind a comment")]
    [DataRow("{\n    \"quiet\": true\n}\n", "{\n    \"quiet\": true,\n    \"timeout\": \"5m\"\n}\n", DisplayName = "added, indented alike")]
    [DataRow("{\n\t\"quiet\": true, // really\n\t// \"log\": \"x\"\n}\n", "{\n\t\"quiet\": true, // really\n\t\"timeout\": \"5m\",\n\t// \"log\": \"x\"\n}\n", DisplayName = "added behind a comma and a comment")]
    [DataRow("{\n  \"quiet\": true // a, \"}\n  /* } */\n}\n", "{\n  \"quiet\": true, // a, \"}\n  \"timeout\": \"5m\"\n  /* } */\n}\n", DisplayName = "comments that look like more")]
    [DataRow("{\r\n  \"quiet\": true\r\n}\r\n", "{\r\n  \"quiet\": true,\r\n  \"timeout\": \"5m\"\r\n}\r\n", DisplayName = "CRLF")]
    [DataRow("{ // mine\r\n}", "{ // mine\r\n  \"timeout\": \"5m\"\r\n}", DisplayName = "CRLF without keys")]
    [DataRow("\uFEFF{ \"quiet\": true }", "\uFEFF{ \"quiet\": true, \"timeout\": \"5m\" }", DisplayName = "a byte order mark")]
    [DataRow("// top\n{ \"node_name\": \"Übung \\\" 日本\" }\n// end", "// top\n{ \"node_name\": \"Übung \\\" 日本\", \"timeout\": \"5m\" }\n// end", DisplayName = "outside and beyond ASCII")]
    public void A_key_is_set(string before, string after) => AssertText(after, ConfigText.Set(Bytes(before), "timeout", "\"5m\""));

    [TestMethod]
    [DataRow("", "{\n  \"limits\": {\n    \"max_connections\": 64\n  }\n}\n", DisplayName = "an empty file")]
    [DataRow("{ \"quiet\": true }", "{ \"quiet\": true, \"limits\": { \"max_connections\": 64 } }", DisplayName = "a room on the line")]
    [DataRow("{\n\t\"quiet\": true\n}", "{\n\t\"quiet\": true,\n\t\"limits\": {\n\t\t\"max_connections\": 64\n\t}\n}", DisplayName = "a room in lines")]
    [DataRow("{\n  \"limits\": {}\n}", "{\n  \"limits\": { \"max_connections\": 64 }\n}", DisplayName = "an empty room")]
    [DataRow("{\n  \"limits\": {\n    // none\n  }\n}", "{\n  \"limits\": {\n    // none\n    \"max_connections\": 64\n  }\n}", DisplayName = "a room of a comment")]
    [DataRow("{\n  \"limits\": { \"idle_timeout\": \"2m\" } // few\n}", "{\n  \"limits\": { \"idle_timeout\": \"2m\", \"max_connections\": 64 } // few\n}", DisplayName = "in the room's line")]
    [DataRow("{\n  \"limits\": {\n    \"idle_timeout\": \"2m\", // short\n  },\n  \"quiet\": true\n}", "{\n  \"limits\": {\n    \"idle_timeout\": \"2m\", // short\n    \"max_connections\": 64,\n  },\n  \"quiet\": true\n}", DisplayName = "in the room's lines")]
    [DataRow("{ \"limits\": { \"max_connections\": 9 } }", "{ \"limits\": { \"max_connections\": 64 } }", DisplayName = "replaced")]
    [DataRow("{ \"limits.max_connections\": 9 }", "{ \"limits.max_connections\": 64 }", DisplayName = "written with a dot")]
    [DataRow("{ \"limits\": { \"max_connections\": 9 }, \"limits\": { \"idle_timeout\": \"2m\" } }", "{ \"limits\": { \"max_connections\": 64 }, \"limits\": { \"idle_timeout\": \"2m\" } }", DisplayName = "a room that stands twice")]
    public void A_key_of_a_room_is_set(string before, string after) => AssertText(after, ConfigText.Set(Bytes(before), "limits.max_connections", "64"));

    [TestMethod]
    [DataRow("", "", DisplayName = "an empty file")]
    [DataRow("{ \"quiet\": true }", "{ \"quiet\": true }", DisplayName = "not there")]
    [DataRow("{ \"timeout\": \"1h\" }", "{ }", DisplayName = "the only one")]
    [DataRow("{\n  \"timeout\": \"1h\"\n}\n", "{\n}\n", DisplayName = "the only one, a line")]
    [DataRow("{ \"timeout\": \"1h\", \"quiet\": true }", "{ \"quiet\": true }", DisplayName = "the first on the line")]
    [DataRow("{ \"quiet\": true, \"timeout\": \"1h\" }", "{ \"quiet\": true }", DisplayName = "the last on the line")]
    [DataRow("{ \"quiet\": true, \"timeout\": \"1h\", }", "{ \"quiet\": true, }", DisplayName = "the last behind a comma")]
    [DataRow("{ \"log\": \"x\", \"timeout\": \"1h\", \"quiet\": true }", "{ \"log\": \"x\", \"quiet\": true }", DisplayName = "one in the middle")]
    [DataRow("{\n  \"quiet\": true, // really\n  \"timeout\": \"1h\"\n}\n", "{\n  \"quiet\": true // really\n}\n", DisplayName = "the last line")]
    [DataRow("{\r\n  // a\r\n  \"timeout\": \"1h\",\r\n  // b\r\n  \"quiet\": true\r\n}\r\n", "{\r\n  // a\r\n  // b\r\n  \"quiet\": true\r\n}\r\n", DisplayName = "a line between comments, CRLF")]
    [DataRow("{\n  \"timeout\": \"1h\", // long\n  \"quiet\": true\n}", "{\n  // long\n  \"quiet\": true\n}", DisplayName = "its comment stays")]
    [DataRow("{\n  \"timeout\": \"1h\" /* long */,\n  \"quiet\": true\n}", "{\n  /* long */\n  \"quiet\": true\n}", DisplayName = "a comment before the comma")]
    [DataRow("{ \"timeout\": \"1h\", \"quiet\": true, \"timeout\": \"2h\" }", "{ \"quiet\": true }", DisplayName = "wherever it stands")]
    public void A_key_is_removed(string before, string after) => AssertText(after, ConfigText.Unset(Bytes(before), "timeout"));

    [TestMethod]
    [DataRow("{\n  \"limits\": { \"max_connections\": 9 },\n  \"quiet\": true\n}", "{\n  \"quiet\": true\n}", DisplayName = "the room goes with its only key")]
    [DataRow("{\n  \"quiet\": true,\n  \"limits\": {\n    \"max_connections\": 9,\n  }\n}", "{\n  \"quiet\": true\n}", DisplayName = "the last room")]
    [DataRow("{ \"limits\": { \"max_connections\": 9, \"idle_timeout\": \"2m\" } }", "{ \"limits\": { \"idle_timeout\": \"2m\" } }", DisplayName = "the room stays with others")]
    [DataRow("{ \"limits\": { /* why */ \"max_connections\": 9 } }", "{ \"limits\": { /* why */ } }", DisplayName = "the room stays with a comment")]
    [DataRow("{ \"limits\": {}, \"limits.max_connections\": 9 }", "{ \"limits\": {} }", DisplayName = "another empty room is not ours")]
    public void A_key_of_a_room_is_removed(string before, string after) => AssertText(after, ConfigText.Unset(Bytes(before), "limits.max_connections"));

    [TestMethod]
    [DataRow("limits.max_connections", "064", "64")]
    [DataRow("quiet", "1", "true")]
    [DataRow("quiet", "0", "false")]
    [DataRow("timeout", "5m", "\"5m\"")]
    [DataRow("node_name", "a \"b\" \\ \u001b Ü", "\"a \\\"b\\\" \\\\ \\u001B Ü\"")]
    [DataRow("listen", "/ip4/127.0.0.1/tcp/1 /ip4/127.0.0.1/tcp/2", "[\"/ip4/127.0.0.1/tcp/1\", \"/ip4/127.0.0.1/tcp/2\"]")]
    [DataRow("listen", "", "[]")]
    public void A_value_is_written_as_its_key_takes_it(string key, string value, string json)
    {
        SettingKey setting = SettingKey.Find(key)!;
        string[] values = setting.IsList ? SettingsLoader.SplitList(value) : [value];
        Assert.AreEqual(json, ConfigText.ToJson(setting, values));
        ConfigFile.Entry read = ConfigFile.Parse(ConfigText.Set([], key, json), "f").Single();
        var settings = new Settings();
        setting.Apply(settings, read.Values);
    }

    /// <summary>Files put together by chance, keys set and removed by chance: the file loads after each, says the new value, says of all other keys what it said, and no comment is lost.</summary>
    [TestMethod]
    public void Whatever_the_file_looks_like_only_the_key_changes()
    {
        for (int seed = 0; seed < 3_000; seed++)
        {
            var random = new Random(seed);
            byte[] text = Bytes(new RandomConfig(random).Text);
            for (int step = 0; step < 4; step++)
            {
                SettingKey key = RandomConfig.Keys[random.Next(RandomConfig.Keys.Length)];
                string value = $"{random.Next(100, 1_000)}";
                bool sets = random.Next(2) == 0;
                byte[] after = sets ? ConfigText.Set(text, key.Key, ConfigText.ToJson(key, [value])) : ConfigText.Unset(text, key.Key);
                Dictionary<string, string> expected = Said(text), said = Said(after);
                expected.Remove(key.Key);
                if (sets)
                    expected[key.Key] = value;
                string what = $"seed {seed}, step {step}: {(sets ? "set" : "unset")} {key.Key}\n{Encoding.UTF8.GetString(text)}\n=>\n{Encoding.UTF8.GetString(after)}";
                CollectionAssert.AreEquivalent(expected, said, what);
                CollectionAssert.AreEqual(RandomConfig.Comments(text), RandomConfig.Comments(after), what);
                text = after;
            }
        }

        static Dictionary<string, string> Said(byte[] text)
        {
            var said = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (ConfigFile.Entry entry in text.Length == 0 ? [] : ConfigFile.Parse(text, "f"))
                said[entry.Key.Key] = string.Join(',', entry.Values);
            return said;
        }
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static void AssertText(string expected, byte[] actual)
    {
        Assert.AreEqual(expected, Encoding.UTF8.GetString(actual));
        if (actual.Length > 0)
            ConfigFile.Parse(actual, "f");
    }
}
