using System.Globalization;
using System.Text;
using P2P.Core;
using QRCoder;

namespace P2P.Cli.Output;

/// <summary>A link as a QR code (ISO 18004), level L: on a terminal, two modules in each character, or as an SVG file.</summary>
internal sealed class QrCode
{
    /// <summary>More addresses make a code that is hard to photograph (count).</summary>
    private const int MaxAddresses = 2;

    private readonly bool[,] _isDark; // row, column

    private QrCode(bool[,] isDark) => _isDark = isDark;

    /// <summary>Modules of a side, with the margin.</summary>
    public int Size => _isDark.GetLength(0);

    /// <summary>Makes one of a link, with two addresses at most.</summary>
    public static QrCode Of(ShareLink link)
    {
        using QRCodeData data = QRCodeGenerator.GenerateQrCode(link.WithFewerAddresses(MaxAddresses).ToUriString(), QRCodeGenerator.ECCLevel.L);
        int size = data.ModuleMatrix.Count; // with the light margin that readers need
        bool[,] isDark = new bool[size, size];
        for (int row = 0; row < size; row++)
        {
            for (int column = 0; column < size; column++)
                isDark[row, column] = data.ModuleMatrix[row][column];
        }

        return new QrCode(isDark);
    }

    /// <summary>Whether a module is dark.</summary>
    public bool IsDark(int row, int column) => row < Size && _isDark[row, column];

    /// <summary>Whether it finds room on a terminal.</summary>
    public bool Fits(int columns, int rows) => Size <= columns && (Size + 1) / 2 < rows;

    /// <summary>Its lines. With colours it is dark on light whatever the terminal's own are; without, light modules are drawn, for a dark terminal.</summary>
    public IEnumerable<string> Lines(bool colours)
    {
        var line = new StringBuilder();
        for (int row = 0; row < Size; row += 2)
        {
            line.Clear();
            for (int column = 0; column < Size; column++)
            {
                line.Append((IsDark(row, column) == colours, IsDark(row + 1, column) == colours) switch
                {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    _ => ' ',
                });
            }

            yield return colours ? $"\e[30;107m{line}\e[0m" : line.ToString();
        }
    }

    /// <summary>It as a drawing.</summary>
    public string ToSvg()
    {
        var path = new StringBuilder();
        for (int row = 0; row < Size; row++)
        {
            for (int column = 0; column < Size; column++)
            {
                if (IsDark(row, column))
                    path.Append(CultureInfo.InvariantCulture, $"M{column} {row}h1v1h-1z");
            }
        }

        return string.Create(CultureInfo.InvariantCulture,
            $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Size} {Size}" shape-rendering="crispEdges"><rect width="{Size}" height="{Size}" fill="#fff"/><path d="{path}"/></svg>""") + "\n";
    }
}
