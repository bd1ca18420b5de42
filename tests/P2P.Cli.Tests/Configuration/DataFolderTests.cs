using P2P.Cli.Configuration;

namespace P2P.Cli.Tests.Configuration;

[TestClass]
public sealed class DataFolderTests
{
    [TestMethod]
    [DataRow("Linux", "HOME=/home/ada", "/home/ada/.local/share/p2p")]
    [DataRow("Linux", "HOME=/home/ada;XDG_DATA_HOME=/data/ada", "/data/ada/p2p")]
    [DataRow("Linux", "HOME=/home/ada;XDG_DATA_HOME=", "/home/ada/.local/share/p2p")]
    [DataRow("Linux", "XDG_DATA_HOME=/data/ada/", "/data/ada/p2p")]
    [DataRow("Linux", "HOME=/", "/.local/share/p2p")]
    [DataRow("MacOS", "HOME=/Users/ada;XDG_DATA_HOME=/data/ada", "/Users/ada/Library/Application Support/p2p")]
    [DataRow("Windows", @"LOCALAPPDATA=C:\Users\ada\AppData\Local;HOME=/home/ada", @"C:\Users\ada\AppData\Local\p2p")]
    [DataRow("Windows", @"LOCALAPPDATA=\\server\home\ada", @"\\server\home\ada\p2p")]
    public void The_default_follows_the_system(string system, string variables, string folder) =>
        Assert.AreEqual(folder, DataFolder.Default(Lookup(variables), Enum.Parse<HostSystem>(system)));

    [TestMethod]
    [DataRow("Linux", "")]
    [DataRow("Linux", "HOME=")]
    [DataRow("Linux", "HOME=ada")]
    [DataRow("Linux", "HOME=/home/ada;XDG_DATA_HOME=data")]
    [DataRow("Linux", "HOME=/home/ada;XDG_DATA_HOME=.")]
    [DataRow("MacOS", "")]
    [DataRow("MacOS", "HOME=ada")]
    [DataRow("Windows", "HOME=/home/ada")]
    [DataRow("Windows", "LOCALAPPDATA=AppData")]
    [DataRow("Windows", @"LOCALAPPDATA=C:AppData")]
    public void Without_an_absolute_folder_the_error_names_data(string system, string variables)
    {
        var fault = Assert.ThrowsExactly<UsageException>(() => DataFolder.Default(Lookup(variables), Enum.Parse<HostSystem>(system)));
        StringAssert.Contains(fault.Message, "--data DIR");
    }

    private static Func<string, string?> Lookup(string variables)
    {
        var all = variables.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        return name => all.GetValueOrDefault(name);
    }
}
