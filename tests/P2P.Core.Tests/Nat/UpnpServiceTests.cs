using System.Net;
using System.Text;
using P2P.Core.Nat;

namespace P2P.Core.Tests.Nat;

/// <summary>Goal: of what a device describes only services of the router itself are taken, and nothing that it sends does harm.</summary>
[TestClass]
public sealed class UpnpServiceTests
{
    private static readonly IPAddress Router = IPAddress.Parse("192.168.1.1");
    private static readonly Uri Location = new("http://192.168.1.1:5000/rootDesc.xml");

    public static string Description(string type, string control, string more = "") => $"""
        <?xml version="1.0"?>
        <root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>{more}<device>
        <deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><friendlyName>x</friendlyName>
        <serviceList><service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType><controlURL>/l3</controlURL></service></serviceList>
        <deviceList><device><deviceList><device><serviceList><service><serviceType>{type}</serviceType><serviceId>y</serviceId><SCPDURL>/d</SCPDURL><controlURL>{control}</controlURL><eventSubURL/></service>
        </serviceList></device></deviceList></device></deviceList></device></root>
        """;

    [TestMethod]
    [DataRow("/ctl", "", "http://192.168.1.1:5000/ctl")]
    [DataRow("ctl?x=1", "", "http://192.168.1.1:5000/ctl?x=1")]
    [DataRow("http://192.168.1.1:49000/ctl", "", "http://192.168.1.1:49000/ctl")]
    [DataRow("/ctl", "<URLBase>http://192.168.1.1:80/b/</URLBase>", "http://192.168.1.1/ctl")]
    public void The_place_of_a_service_is_read_against_where_it_was_found(string control, string more, string expected)
    {
        UpnpService found = Read(Description("urn:schemas-upnp-org:service:WANIPConnection:2", control, more)).Single();
        Assert.AreEqual(new Uri(expected), found.Control);
        Assert.IsTrue(found.ChoosesPort);
    }

    [TestMethod]
    [DataRow("http://192.168.1.2/ctl", "")]
    [DataRow("http://evil.example/ctl", "")]
    [DataRow("//evil.example/ctl", "")]
    [DataRow("/ctl", "<URLBase>http://evil.example/</URLBase>")]
    [DataRow("https://192.168.1.1/ctl", "")]
    [DataRow("file:///ctl", "")]
    [DataRow("", "")]
    public void A_service_elsewhere_is_none(string control, string more) => Assert.IsEmpty(Read(Description("urn:schemas-upnp-org:service:WANIPConnection:1", control, more)));

    [TestMethod]
    public void Document_types_and_what_is_no_xml_are_refused()
    {
        string sound = Description("urn:schemas-upnp-org:service:WANIPConnection:1", "/ctl");
        Assert.HasCount(1, Read(sound));
        Assert.IsEmpty(Read(sound.Replace("<root", "<!DOCTYPE root [<!ENTITY a \"aaaaaaaaaa\">]><root", StringComparison.Ordinal)));
        Assert.IsEmpty(Read(sound[..^10]));
        Assert.IsEmpty(Read("not xml"));
        Assert.IsEmpty(Read(sound.Replace("<friendlyName>x", "<friendlyName>" + new string('x', UpnpService.MaxDescriptionBytes), StringComparison.Ordinal)));
    }

    [TestMethod]
    public void Answers_are_read_and_requests_written_so_that_a_value_stays_one()
    {
        string request = Encoding.UTF8.GetString(SoapMessage.Write("urn:x", "Do", [("A", "1<2"), ("B", "")]));
        StringAssert.Contains(request, "<u:Do xmlns:u=\"urn:x\"><A>1&lt;2</A><B></B></u:Do>");
        IReadOnlyDictionary<string, string> read = SoapMessage.Read(Encoding.UTF8.GetBytes("<e><b><r xmlns='x'><One>1</One><Two><Three>3</Three></Two><Four/><Five>a&amp;b</Five></r></b></e>"))!;
        Assert.AreEqual("1,3,a&b", string.Join(',', read.Values));
        Assert.IsNull(SoapMessage.Read("<e>"u8.ToArray()));
    }

    [TestMethod]
    public void An_answer_to_a_search_is_taken_only_for_what_was_asked()
    {
        byte[] Answer(string status, string target, string location) => Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nCACHE-CONTROL: max-age=120\r\nst: {target}\r\nLocation: {location}\r\n\r\n");
        Assert.AreEqual(Location, SsdpMessage.ReadLocation(Answer("200 OK", SsdpMessage.Targets[0], Location.ToString())));
        Assert.IsNull(SsdpMessage.ReadLocation(Answer("404 No", SsdpMessage.Targets[0], Location.ToString())));
        Assert.IsNull(SsdpMessage.ReadLocation(Answer("200 OK", "upnp:rootdevice", Location.ToString())));
        Assert.IsNull(SsdpMessage.ReadLocation(Answer("200 OK", SsdpMessage.Targets[0], "relative")));
        Assert.IsNull(SsdpMessage.ReadLocation(new byte[SsdpMessage.MaxBytes + 1]));
    }

    private static IReadOnlyList<UpnpService> Read(string description) => UpnpService.ReadAll(Encoding.UTF8.GetBytes(description), Location, Router);
}
