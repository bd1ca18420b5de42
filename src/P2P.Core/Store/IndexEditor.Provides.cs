namespace P2P.Core.Store;

/// <content>What is announced.</content>
internal sealed partial class IndexEditor
{
    /// <summary>Adds what is to be announced; what is there already stays as it is.</summary>
    public void AddProvides(IReadOnlyCollection<(ulong Place, byte[] Key)> rows, int newFor)
    {
        using IndexStatement insert = _connection.Prepare("INSERT OR IGNORE INTO provides(place, key, new_for) VALUES(?1, ?2, ?3)");
        foreach ((ulong place, byte[] key) in rows)
            insert.Bind(1, ProvideTable.Signed(place)).Bind(2, key.AsSpan()).Bind(3, newFor).Run();
    }

    /// <summary>A network was told of these.</summary>
    public void MarkProvided(IReadOnlyCollection<(ulong Place, byte[] Key)> rows, int network)
    {
        using IndexStatement mark = _connection.Prepare("UPDATE provides SET new_for=new_for & ~?3 WHERE place=?1 AND key=?2");
        foreach ((ulong place, byte[] key) in rows)
            mark.Bind(1, ProvideTable.Signed(place)).Bind(2, key.AsSpan()).Bind(3, network).Run();
    }

    /// <summary>A network was never told of anything.</summary>
    public void MarkAllNew(int network)
    {
        using IndexStatement mark = _connection.Prepare("UPDATE provides SET new_for=new_for | ?1");
        mark.Bind(1, network).Run();
    }

    /// <summary>Removes what is not to be announced any more, unless it is again by now.</summary>
    /// <param name="rows">What to remove.</param>
    /// <param name="isAnnounced">Whether a block under these pins is.</param>
    public void DropProvides(IReadOnlyCollection<(ulong Place, byte[] Key)> rows, ProvideTable.IsAnnounced isAnnounced)
    {
        using IndexStatement delete = _connection.Prepare("DELETE FROM provides WHERE place=?1 AND key=?2");
        foreach ((ulong place, byte[] key) in rows)
        {
            List<Pin> pins = TryFind(key, out BlockRow row) ? _pins.PinsOf(row.PinSet) : [];
            if (isAnnounced(key, pins))
                continue;
            delete.Bind(1, ProvideTable.Signed(place)).Bind(2, key.AsSpan()).Run();
            foreach (Pin pin in pins)
                ForgetProvidedPin(pin.Id); // should it be announced again, it has to be gone through again
        }
    }

    /// <summary>All blocks of a pin are among what is announced.</summary>
    public void AddProvidedPin(PinId pin)
    {
        using IndexStatement insert = _connection.Prepare("INSERT OR IGNORE INTO provided_pins(pin) SELECT id FROM pins WHERE id=?1");
        insert.Bind(1, pin.Value).Run();
    }

    /// <summary>The blocks of a pin are not announced for its sake.</summary>
    public void ForgetProvidedPin(PinId pin) => _deleteProvidedPin.Bind(1, pin.Value).Run();
}
