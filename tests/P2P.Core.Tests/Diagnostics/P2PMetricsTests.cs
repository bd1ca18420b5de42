using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using P2P.Core.Diagnostics;

namespace P2P.Core.Tests.Diagnostics;

[TestClass]
public sealed class P2PMetricsTests
{
    [TestMethod]
    public void Every_instrument_reports_under_its_name_with_unit_and_tags()
    {
        using var factory = new OwnMeterFactory();
        using var metrics = new P2PMetrics(factory);
        using var listener = new Recorder(factory.Meter);
        metrics.Received(10);
        metrics.Sent(20);
        metrics.BlocksServed(3);
        metrics.BlockReceived(ReceivedBlockOutcome.Unwanted);
        metrics.Imported(5);
        bool connection = metrics.ConnectionOpened(isOutbound: true);
        metrics.ConnectionClosed(isOutbound: true, connection);
        metrics.Dialed(DialOutcome.TimedOut, TimeSpan.FromMilliseconds(1500));
        bool fetch = metrics.FetchStarted();
        metrics.FetchEnded(FetchOutcome.Done, TimeSpan.FromSeconds(2), fetch);

        CollectionAssert.AreEqual(
            (string[])
            [
                "p2p.network.received By 10",
                "p2p.network.sent By 20",
                "p2p.blocks.served {block} 3",
                "p2p.blocks.received {block} 1 outcome=unwanted",
                "p2p.import.bytes By 5",
                "p2p.connections {connection} 1 direction=outbound",
                "p2p.connections {connection} -1 direction=outbound",
                "p2p.dial.duration s 1.5 outcome=timedout",
                "p2p.fetches {fetch} 1",
                "p2p.fetches {fetch} -1",
                "p2p.fetch.duration s 2 outcome=done",
            ],
            listener.Lines);
    }

    [TestMethod]
    public void A_listener_that_comes_late_never_sees_fewer_than_no_connections()
    {
        using var factory = new OwnMeterFactory();
        using var metrics = new P2PMetrics(factory);
        bool counted = metrics.ConnectionOpened(isOutbound: false);
        using var listener = new Recorder(factory.Meter);
        metrics.ConnectionClosed(isOutbound: false, counted);
        Assert.IsFalse(counted);
        Assert.IsEmpty(listener.Lines);
    }

    [TestMethod]
    public void Without_a_factory_the_meter_is_our_own_and_ends_with_the_node()
    {
        var metrics = new P2PMetrics(null);
        int ended = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "p2p.network.sent")
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
            MeasurementsCompleted = (_, _) => Interlocked.Increment(ref ended),
        };
        listener.Start();
        metrics.Dispose();
        Assert.IsGreaterThanOrEqualTo(1, ended);
    }

    [TestMethod]
    public void Activities_come_from_the_documented_source()
    {
        Assert.AreEqual(P2PDiagnostics.ActivitySourceName, P2PActivities.Source.Name);
        using var listener = new ActivityListener { ShouldListenTo = source => source == P2PActivities.Source, Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData };
        ActivitySource.AddActivityListener(listener);
        using Activity? activity = P2PActivities.Source.StartActivity(P2PActivities.Dial);
        Assert.AreEqual(P2PActivities.Dial, activity?.OperationName);
    }

    private sealed class OwnMeterFactory : IMeterFactory
    {
        public Meter Meter { get; } = new(P2PDiagnostics.MeterName);

        public Meter Create(MeterOptions options)
        {
            Assert.AreEqual(P2PDiagnostics.MeterName, options.Name);
            return Meter;
        }

        public void Dispose() => Meter.Dispose();
    }

    private sealed class Recorder : IDisposable
    {
        private readonly MeterListener _listener = new();

        public Recorder(Meter meter)
        {
            _listener.InstrumentPublished = (instrument, self) =>
            {
                if (ReferenceEquals(instrument.Meter, meter))
                {
                    self.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
            _listener.Start();
        }

        public List<string> Lines { get; } = [];

        public void Dispose() => _listener.Dispose();

        private void Record(Instrument instrument, IFormattable value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            string line = $"{instrument.Name} {instrument.Unit} {value.ToString(null, CultureInfo.InvariantCulture)}";
            foreach (KeyValuePair<string, object?> tag in tags)
            {
                line += $" {tag.Key}={tag.Value}";
            }

            Lines.Add(line);
        }
    }
}
