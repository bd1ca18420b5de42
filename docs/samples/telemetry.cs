// Metrics and traces of a node by OpenTelemetry, on the console here:  dotnet run telemetry.cs film.mkv
#:package P2P.Core@0.1.0-preview.1
#:package OpenTelemetry@1.20.1
#:package OpenTelemetry.Exporter.Console@1.20.1
#:property PublishAot=false
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using P2P.Core;

using TracerProvider traces = Sdk.CreateTracerProviderBuilder().AddSource(P2PDiagnostics.ActivitySourceName).AddConsoleExporter().Build();
using MeterProvider metrics = Sdk.CreateMeterProviderBuilder().AddMeter(P2PDiagnostics.MeterName).AddConsoleExporter().Build();

await using P2PNode node = await P2PNode.StartAsync(new P2PNodeOptions { DataDirectory = "telemetry-data" });
Share share = await node.ShareAsync(args[0]);
Console.WriteLine($"shared {share.Root}");
metrics.ForceFlush();
