using System.Globalization;
using System.Net;
using System.Text;

namespace P2P.Simulation;

/// <summary>A few lines over one axis as a picture (SVG 1.1) that can be read on light and on dark ground.</summary>
internal sealed class LineChart(string title, string xLabel, string yLabel)
{
    private const int Width = 720, Height = 360, Left = 64, Right = 150, Top = 40, Bottom = 48, Ticks = 5;

    private static readonly string[] Colours = ["#3b82f6", "#f59e0b", "#10b981", "#ef4444", "#8b5cf6"];

    private readonly List<(string Name, IReadOnlyList<(double X, double Y)> Points)> _lines = [];

    /// <summary>The largest value of the upright axis; null: that of the lines, rounded up.</summary>
    public double? Highest { get; init; }

    /// <summary>The smallest value of the upright axis.</summary>
    public double Lowest { get; init; }

    public void Add(string name, IReadOnlyList<(double X, double Y)> points) => _lines.Add((name, points));

    public override string ToString()
    {
        double lastX = RoundUp(_lines.Max(static line => line.Points.Max(static point => point.X)));
        double highest = Highest ?? RoundUp(_lines.Max(static line => line.Points.Max(static point => point.Y)));
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n");
        svg.Append("<style>text{fill:#1f2937}.axis{stroke:#6b7280}.grid{stroke:#d1d5db;stroke-width:.5}@media(prefers-color-scheme:dark){text{fill:#e5e7eb}.grid{stroke:#4b5563}}</style>\n");
        Text(Left, 22, title, "font-size=\"15\" font-weight=\"600\"");
        for (int i = 0; i <= Ticks; i++)
        {
            double y = Lowest + ((highest - Lowest) * i / Ticks), x = lastX * i / Ticks;
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{AtY(y):0.#}\" y2=\"{AtY(y):0.#}\"/>\n");
            Text(Left - 8, AtY(y) + 4, Number(y), "text-anchor=\"end\"");
            Text(AtX(x), Height - Bottom + 18, Number(x), "text-anchor=\"middle\"");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<path class=\"axis\" fill=\"none\" d=\"M{Left} {Top}V{Height - Bottom}H{Width - Right}\"/>\n");
        Text((Left + Width - Right) / 2.0, Height - 8, xLabel, "text-anchor=\"middle\"");
        Text(0, 0, yLabel, string.Create(CultureInfo.InvariantCulture, $"text-anchor=\"middle\" transform=\"translate(14 {(Top + Height - Bottom) / 2}) rotate(-90)\""));
        for (int i = 0; i < _lines.Count; i++)
        {
            string colour = Colours[i % Colours.Length];
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"");
            svg.AppendJoin(' ', _lines[i].Points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{AtX(point.X):0.#},{AtY(point.Y):0.#}")));
            svg.Append("\"/>\n");
            int key = Top + 8 + (20 * i);
            svg.Append(CultureInfo.InvariantCulture, $"<line stroke=\"{colour}\" stroke-width=\"3\" x1=\"{Width - Right + 12}\" x2=\"{Width - Right + 30}\" y1=\"{key}\" y2=\"{key}\"/>\n");
            Text(Width - Right + 36, key + 4, _lines[i].Name, "");
        }

        return svg.Append("</svg>\n").ToString();

        double AtX(double x) => Left + (x / lastX * (Width - Left - Right));

        double AtY(double y) => Height - Bottom - ((Math.Min(y, highest) - Lowest) / (highest - Lowest) * (Height - Top - Bottom));

        void Text(double x, double y, string text, string more) =>
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.#}\" y=\"{y:0.#}\" {more}>{WebUtility.HtmlEncode(text)}</text>\n");
    }

    private static string Number(double value) => value.ToString(value is 0 or >= 10 ? "#,0" : value >= 1 ? "0.##" : "0.###", CultureInfo.InvariantCulture);

    private static double RoundUp(double value)
    {
        double unit = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(value, 1e-9))));
        return Math.Ceiling(value / unit) * unit;
    }
}
