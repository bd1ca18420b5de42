namespace P2P.Core.Content;

/// <content>The table, generated from the Unicode Character Database, version 14.</content>
internal static partial class UnicodeFolding
{
    // deflated and in base64: the number of characters that fold, then for each the distance to the one before, how many characters it folds to, the
    // first as a zigzag difference to itself, the others as they are; then the number of ranges with one combining class, then for each range the
    // distance to the start of the one before, its length and its class. All numbers are base-128 varints, least significant first.
    private const string Data =
        "7ZsPUJ3XdeDn3u/xnp6Q/Ed/LCtqIqdJm006k6knddppu4l3u7vTzk532mymnWk7TTKzSZsmkeg01Z9OvRFCCBDCmCCMMUYYYYwwxhhjgl4Qws/kGSNMMMZPCAPGBAFCGGOMMXnG+O35" +
        "ne/yjBzbcVonTTs7897vnu/ec88999xz7/u+D+nRG1uMuX1Tum03h4LGdphMYdQcFnaaLGHM5Aq7zLGgMbci1GrlIa1EuVuVe1TtXerpGHPWflKB+l5Rs779Q9qUqU2HXZPrgsKg+Qdj" +
        "V1UrqVqZFq0si5lsi26OPRa0wlqtOaQ1aOapZr7qvHO9lfqsd2mlvkB0PKk/pPWZWn/Y1fv61tlvt0cIpzJqjxJOZcyeZjbKmFroUnarnR5lr80R9in77XHhwDrGobHWDqnxYeWoGh9T" +
        "jmvHCeWkDjStnNHus8oZHWhWOae95pUL2mtRuaQBXHZEMwEZelWjkVRmejiQpcz2MJKjzPMYNF9Z4OXI8krHYg87JY5YLhVaW+YRhHJlhdZXKqs8vK32/CljoU516pUNqtOobFLNZuVU" +
        "2h51M6JOtSnb1akOZdTLZ0Egap1qLKbsUmPdyh411utIa5+yX90fUMZVc1A5pJrDjtSMKse0ZtxNwk56hG1aOaO+zSrn1Ld55YJ3jHVQLqm3y8qEhnNFmVAHVpTr5VUvV4mrSWVmgPXM" +
        "UmYHcCYHmtKANfd5LrLmHl+6Wwq+1jMnjTEnRLzzrZaTnjX3S3mKqoCKD0jVg55MMFBO3kFn8VG/36Oe567souosqc4jnv/1db/nG7QbTECr1tEOpuHzkLJH2avsVMaUbcp26HWk5QYl" +
        "ol7UlZ1SShy8mCu7pESv25U9UsqW9nq1tF7C9Vtx5WpajpZJv5S1OKIxP+J2gw6dVCaUK8qlNJZpGYrJ086klvZJ3YZPKPNxwk21LKgbAZqohH+vscX4ZkvUw6bgMZ1Bs1/a+oDuA2W+" +
        "skDZHiwk25XRYBGxUv6s9RGtaVO2a02Hcq2mMFUTfU873cH7Wbt17IXMeJbZ2zmNQZafC1KbFyJZ85XZIXZRDvSWgv6SLLsyEczy4+qXdjVIjyT0MkP+smX5pV1QLgpD5sJpowkWs8Y8" +
        "fdpogmZLCh6T6tvNWlK6zyvGfEc+1nzJ2P2szGXzG65tiWKDyd5MZdBG0on+n6FTmW7sX3D1V+Cv+Wn4GtjD5bdZxC9oNsqP2s/4se9Ybz/Ctv8tsJEhrgNbwDYG+xSDbRFf7UdRSQc7" +
        "ab0WhHHkOmN+z5ibZUZUcYqYDxvzG/bqYLzL5xvGfMkz+zVMcrlZD5Asa9a+9u/I4r/F6L3S9uVMX1j72pMm9+oardXY/Rk9/+6oa373yNjPHf2XhPNtn43WHA3usLcw6G9zS/D5zKCc" +
        "k7nBNPsHePNHNNxyNPjTY2IN28ArDL4tnTa+r4D+TJ+PyAGhP+Cl8CcUPLkTObruTkTv1SBerrs9Uadz3eLL3Uiu3o28xb61PgN61xFXDmrT0FsKctOS+3Zb7drQoVzrdiTVbVg5avP1" +
        "Jib/6nr/Xmf95Qf68cyXzS/2c7P9g8Pp5ZIHA5tkPz4r+EMQiPvS3cZ+6tlN4tqzm64HFyT7zm7ZADzwcZstNFfxNvCPKXwVfOnslm/a0LmtsrsHt14nDVtp3WqlYesXxdA2zwbObvsY" +
        "FrYZx9uo/erZbVeMNRdu8KT7DXS/ge430P2G37be4I7PSsMO4yN9cMc/W+/CjQesie8MAYnphZ3Whh7fabzw4zvjO78jmh8yPtIHP3S7GD+/y9q0vl3GC/XtOr9LxhjbNSlTbt29EaRd" +
        "jc32T1ukwXvlI2L1Vcn1A4d2W7vv0O6w3X1o95b37PYtax666Z/MY39vfgm/Vr5B+dYHzbXm6k/eNda0fNa+AwLgk6lLz3otnzVAL9utKf+KMWXyzZFvlvtmy3dZkq9LvkdrAxtM8tPm" +
        "38nXWydHrW3fV8NJ4sivfVTZua+aU03Zta+Jmw7ode+r1VumHr+0Pardq+xT7X7lgPaJKwf36f28cnhfA2cT9Eb3HdHbsDFXjkuJ7Qm/tJOqO62c2fcwt/bQmxNLcrx6835p53X0BUe9" +
        "K3HUBy/lsnqVUK7s01t6ZVK9ytwPs/Y/xP2RI+PlQC9vv3+jm++XNm+/3iAqC/ZjsVBZtJ/ZFjtSUwK9UiF3TmV+actVo0JZuZ/ZVTlisVpZsx+va5V1aqvekZoGZaPWNCmb1VqLslWt" +
        "RaAX2Z+lvre5sl3KXG7qXRnd78e+05Wx/f4adPml7VJvupU9Omqvcr3cpx7061wH3Fzjbq6D6tGQI9rDylHtM6Z9xsU6d5gTrpzcf1zLaVfOiBblrF/aWbUwp5xXOwvKRR1lSbmsMUg4" +
        "3seqK1d1XZPKzAO0ZkEv+4AfnxxX5h04ovHJ90ubf0DfWCgLD+hqO3IDU6wsOUCUSpVlB+hVrqw4gKeVyirtVe1ITY2yVjXrHKmpd+QhtEHZqL2alM0HdL2Vw8qY9o0e4CG3Q7lw4Fya" +
        "rI7Y8Wz8wD/Io5V2TSozD+YxeehlHzzsT96VeVKSDPmuLJASvUJXFkkpgfCKXVlysDp4mER3ZdnBo2qn3JUVUmKn0pVVUmKn2pU1UmKn1pV1YocNXu+XtuYgHtcq69TvemXDQZajEXpN" +
        "zvdmV7Y431tdGXG+t7my3fne4cqo873TL227jtChjOrIncqIsk25Tkf6++N2ujLmxu1yZbcbt8eVvW7cPlf2u/EHXBk/qI+t3qArh6TEzrArR6XEzpgrx6XEzoQrJ6Vkc037pR1Vj8eU" +
        "4+r3hPo96exPu3LG2Z915ZyzP+/KBWd/0ZVLbpxlN87CQbbConJJR1tWJnTMFeWqrlsSvnV7X/GtYnbJt06QIN/Sx3SvWq4oa+Qa52rlmrJOrh8nQeT6cRJB+zZq3ybXt9n1bXF9W13f" +
        "iOvb5vq2aN9W7Rtxfdtc33bXt0P7ejamul2q2+10e5xur9Ptc7r9qjugunGnO+h0h5zusPNp1Pk05nwa174T2nfS9Z12fWdc31nXd871nXd957TvvPZdcH0XXd8l13fZ9U24viuu76r2" +
        "TWrfzD1+36w9ft/sPX7fnD1+37w9ft/8PX5f9OVA2XPC6R5yuoecbqbTJTZFqlusuiVOt9TpljndcqdborqlqlvmdMudboXTrXQ+VTmfqtUna2ultF69aluvUbWs1+w8blDLjWq5yVlu" +
        "dpZbnOVWZzniLLe5vu3at0P7Rl3fTtc35vp2ub7drm+P67u6R9+366uLhMor7ykvqLyo8ozKsypPqjwtsudV7C0ORkISib0nKANVe/EJqXrvCSfV7MUvpNq9J5xUtxffkOr3nvAlr8HZ" +
        "anS2mlK2mlO2WlK2WlO2IilbbSlbTc5Ws7PVkrLVmrIVSdlqS9lqT9nqSNmKOludzlYsZasrZas7ZasnZas3Zavv5zLHdmerw9mKpmx1pmzFUra6Ura6U7Z61mzZ1b384CX3cg+VmaF9" +
        "bVYG1rMz6GVtXobuugxfvyAD/cIM7rWKMvReJIPcKJE+1uRleLbpn9EvcbZK1VaZs1WhtiqdrRrtX6v918t19LG7qPgw17t18+jAjQzsNWX4b3ybM3J1y0bUbJtc6VZRzQ51MapmOzN4" +
        "dfdfEW/F4Of0HFa1VjUYcQbbMvw77liGnrsZJ9QExjud8Zj26lLj3Wq8R32Oq27ebdTk38brsYr/63n9LgoDGoW4i8KQWhx2UVhQK4tqZVzlCZUn6WOKbvN4txyosSbyjwGzelh+wYqz" +
        "zLFgyPzOp81N5mf5bDN2h916Rmxffya41X7mTHC3DXK5CYh0izVngmnAAzcCC3bZsKuT51VXt8PGctfa0+3nMTFBhczCL3Y4aBcD3pJCNh0p/Z1bP+Z7GU4hdCZ4s+1Sqz6rUgzZvYhX" +
        "4ffNuc8Y+R73zG+ZD+5TsMnaM8H77C/8ldNPeSHFDc1crTGm5/eM6a31X4f7n1ZelCdoa0dqO230nZkNm1WuV08b88G/zvwAPmGlPE08F7Sm7Cv2Xwbv6ssQkOnf7V++D2mHLRdxI9fX" +
        "/Nv74dlrub4KAXQev/KBrOK2962Z+47jBX6eGZHuhJzTgbcNngb7TqR578uJnJI0OZtBCcgEUmdN9QmRBkAdeOyad4/pl4zJpt/8mi9yjAdV+LDcQwVN5ZjU/3/8kiB6t6wUf6ouezLA" +
        "mom09LBgktWrqZd1jLLg8UlrzCCYf1MaFviDes7tZEdSLhtGBN3HBMVT0lDVI2iICZofQ48/qFefldbFRkHiXgycELQMSMPoSUH/G2K56QGx13unoOmMtGbfI5jAVNaL0lo1L5dz9wnq" +
        "e6UueU7QOiSX5aMiFf5A0DYjl9XMI/mQYPQuQVuVNPTeL0bnKgRVZYLBfhoigk7GKM0TTF7Cl6fwmSELGwT5uYLiZRk8iQejh/H+TamLvCSYiROruwSZs9Iaj4gUyxTzq5dFr2tRLgsm" +
        "BF3ldMsU5BPn6jzBBHr9iwSCuEw2BPi5EXS8LK1NLzL4cWaJu4VYmcf7opOCxTdQwYNePOjKx+dWQelzYqC5XdCOL90PsgmXiNAkDaWEs5D5YrQfh3qIS2KK1gaRWh8RabxPULggBvpY" +
        "ivIjBIwIdT8rdXltgtnvyWVmrUgDzSLNsAoVz8ll3aBIVXcIisicinsFY/i80Cl1ta+QZiOC+PfXFr74bmldIcPKDwnqr4jeyg+J1f0kCE42FRJxEmScOC9dYSnKRTmvR1rrSJU4adv8" +
        "IkHUtH6eVBkgBerIySpBCQlXkhS9TkLXx3JP1OHLM4K5GtK2jAlqiDEfLRY0VJMqnagw86ZZuRwmYP0XGaNV0LeEKXIth0mPHRNkLxNJMrYS5SVin1eCu5eJ2qQgUSFYPoYHZETrURpO" +
        "s9yHSP57WX2WtnFCLqdZy2g1YcLyCqva/TR5dY5VrWTmBUSNHVXAZOYuS5gST0ld4+1yuXKP9C3rZvd0sTys9OiDDIRr00WCWDZWWKMJ/rVAV5X06CKSLQXsUFJl+RW5HGQTDz3AWrLf" +
        "6n6EFYzWlmEe5WmCWFFKJPG0jJSqOc8B8AO8J2naGDebVBmaYZbs3wIQYeaFJP8guTGBk5WYauPcaCCIs33SWs5ALa/JLGvnBBHmNvAw2f4CfdkkjStsEpZnkX3eWcO+JPUShLNwmOWu" +
        "JDtByxwh4SAbelUaVhMi9eJpdS97pp7VegIQztUoW5KEK2VRyork93X2qPxOtv0w4Jk58n6QbV/GorRmkQIcHjOgFOSztO24Fp2RG6DypwUDZz3PDLGt+u/zAmbpCJsE5ICFBZllJUs7" +
        "z8yzOCyLawTdeDDA8VAJusjdpu8Kxu+grpAJ5giqj5LPpI/mUD+JWU9yjbOC5eMkEnumg9Nxgj24+gQNxGCQwHazFM26IViKPlJ+8SgqR0h+kA9Wme8imAZ5KdSS2bXswfrXOSw5ZCpA" +
        "I6de3ywNJMPoOPk3xhkGCi8KKvk5KWEjRtvZKWfZsPzDqkiLYIx0HOUUyGN5BthRo5zes9My5JFTGyVPxyW6xU1k8SlCd59gkg07ijRDEEdJ2wRBbGHvd51YOwU0nJ25dCOSi5yJcdDG" +
        "odW0KmOMvUT+gRbSojF1UCxc4veIE3iJYA9w2UTEG4l40TDB5gBNcKAsPiuIsLGXyLp5sMImbuVnorWNJWtBmd+3cjbiPD8dCY65YX4bZ/NZWg68MQ6F2QokFqr1TpaM3VPwXRYKtOqv" +
        "AZi+nV8NknUAtOfgAQs1xBaa/LGglmRd5niYnKPhCkvBT28e+2iZX84Z1micTdwJFjvIUzAGlvjFXgVVXOYjzbKMCyxj8UM06IHMP9ur4Ge7uIg84PifIOWH2TMlIMmxWQWW3pRdMcGv" +
        "82stYWMug9xLgpk30vitYC3B5VFJgVdz0o35ceEmSYaXpEfJnP2Ebb4S+pqxLVdCXze29Urom8aLSM3XjdcmxTeNrb4S+raxNcLNtv1C6LWNxnZcCE1KEb0QmpWi0a+MXQjNbQzanHjo" +
        "0XRrh54Ntaan28x4KCq35lnx0OPpxsuOh86my7WXgyA1ti0uasa2x0NnpOig+v0X9n2r2PfoZ9/PeLPxUESKpXioQ4oJvxigGAj9q/9R0vrPE2HzJ+bf4pP3ixyswpj/9d4f+9MUfqqy" +
        "Xzm72Rwy5j/I93LImu9XBazyWpsuzJJHy9pTAZ/3BGzonNw22vDg/YF5a73vy7Fo0x6uky7h9rrAG8Z6jfUBn5NpH2ji/uTnoIz8SCD3AfNzHicZM3bz5KmQo3et8CWE60WYR9gqwssI" +
        "20VYQNghwiunQn9uPe2o9EJrHVNC+poFJzz2afPfzM//MyY/Wtm12+XHEWSC6HBIfglOidRQJSgBefcKyk8KxioEsXsEy2C44Aa53eySHpnlcrl093buJQXNYLZHGppRGeKyEJRQlywT" +
        "aRqU1WAFqQckeMbru0ukFpA8Ln27S7kEY3diHlTQ0FYiUgRkg+ET27mRWEMtiBULWkEtWP6uYBJMpKRpUHgmxA3qNjFfJJeNoK5Z6sqRisDMHYK224kG0mwhESpcqyspwOhxnMwniCAT" +
        "ZIHhY3gK6kEhmDkiyM/DFFIih1mCIgIRWxVfcg6L1J4pKADFWcztELECg2+KykyBONmHcheoB9lg+Q1BYkUwf1RU5rIFswm5LASJHwvKXhcklwUL2RLOQRBdIgavbuPWHKOvB+U+5RUs" +
        "g0KQWBA0LUnDJNIQiF4S1CDNZImVhpdFKgYLL6EyL2i4Ij0WXlyTKpFqQQ7ouLKG2kwxUIAUmREUgbbL25i0NOSPBHl+FallGjdAA8gBiQG516iewlScf/kOqp/bKiszKXWToCJJTEul" +
        "YYVn+DkcHwXzb7JaSJUT23ifwJA/ErS/IOhdZbVQqeCysksMtI3h2qigBTSDCBgbQQKLw0wBaRWpCqw8J1gCnaARNAwxhYvUDTJanFX4noyxjLRygegiLTzLpAdYvGZpjTyDKS4baah9" +
        "nZ3XL1I+6Hua+SK1JKRhoRevQPKU9O3roUcX455n3V4TlZUnWeRlkYZAki2+AlRvgdb+FyScKwOkN3UrT9AAEjGmitR8QszXYa+7k8FpqHicwaOC2SJprUfKp7W6g1RZIqnPUdeOf21k" +
        "cQR7eazgGfJvkSOolTr+qBX5Htn5Cm4g1bUQiEfXMJBII+tEb3WZ58NHWICXeeJ4mOUBDdT1NwqyQPFDgkykZqRSkGwgiPPSrYaGpnom8wB95wnOaZHy6thql3lX+yDb4H7BxBRvJUBp" +
        "DfaqmTRYBMk5Tj2kllMsNxiqQqVPdmgDR9Dic9I366RI03HeK5WTDKAatDzF89LdJCEY78K/HwiG7yQdwcoMyYo0jTQDeovJIbD6XeyBviIy57K0Vt5BQzOjFYrU/QgP7UjNz3MAHEfi" +
        "rUQOWOABLmtyO7tnO+/0pLWcVxiVYIAn8irQm7vNoQ+s5OAzPVaPEjqk2R9xYvLwl8xizbP01BMMj3PCHWfJkpJwi7zpqQQFXA6ubiUTRaXpDZEqQSno4BXp7OtsbDCe2MoOZaDXeAh7" +
        "TS6bQWKE7FzUN2VyWTDMgi6IlM/lAFI3j7NFLzPaEPF7SaShOUH8RQxc5EAe5Xmd9xgtXLZyoCxPS+sCD5gxpNVJwQyIPsPTKA/8kUtyWc+Lmgqk6F0S4sELrMKEXCbHMRDn0Eeq4gjv" +
        "4J1PDZjl5BoGxc9LayEYrRXEnmWvDouUNyKYRmrnN7kTKQoawRjHYQsvZCeRlocEcxcFw4OMy2UH0twFzMcFZdQ1UFcPCsAwT8aLvKmo4p3Fcj/J8Iw0zIJaEOWtU2G/SJkPoIdKOVit" +
        "5bGXdxsFXMZ6cQ2UgzKVnsJTED9Pa48gqxvLXFYjzT8p6OvjMO8iak8IiriMxRgctPF8PdpJqoCaH3J6I1WckN+PCO9PenjrWfEUwQajZ4lkG7OMsMgteMArqv5HGRwsPUKEmjDKY3kd" +
        "9z4VDxNsMNjImndKXfGDIvU+wGSe5jWdvker4aeoGl/A3HkespFGT7LS96xhuAK9UsIOJnnjHCsid6Oc43ewIZp4C/0Yu+c4weGntzpfpHH+AhCp5JH+HHdGoDmXhlLq2knlEt4s5JAl" +
        "oAGU8PzfcYTN1MaNSBbxyxTkgKJDDHmG/bbC3yVWtkiPZUHFq4LVR7njAX2vbOFk4A8MXJZdEinvBUH284LmOWlNPsIt04tbeIm8hTsATIE8EJ3dwksZ+6Y9FNw+Zbaby8YERkyA0lw0" +
        "Jm3EpNnzxlJHmT5i0tNMGpcbpswG87KoTRnjjRjPmzKedaWakHrMSJ1VeUZk/oPCunLzlLnXpk2Z260ZkYGnpJeUWDDPSw+Rg1MmGBwxQTtlVEdL2i75I5uNxqQbs8nwX5eu0X+Df50x" +
        "1xuzxdit1sgqyfRvsGaHNTcas9P3BI+2/JFO4CPG7DbmppvNLmN+Rf/jlKsx5qPG/KqOxwzEybTU+CMywMe+Fpoy4TWXDZPH7bdUPm4+vtuNZtZ7T6yoT8VlbcYjbkbvUEq/U0bGC7nK" +
        "jVLulLHTwiJL54C495ti+PNriyFtn8Zl1u+aKYnK25xYG1SdWZu6t24Cbs7/xYSul1mu8+PrWnOz1HxOpb3rKM+yTtpgvmjMX35N5T02vMWEb0P4G2vC1wS+kWH3qfBPfyLDfFiXg+9F" +
        "8zsmUwY6LPIREwwcNkFk9TdMcauo/b0JySPvF0V6Ok0cbg3Z8E0mfFJGThefniIx7jCaIb7PI2vCH5rw9g1+6G4mNOuySmf79pUO6FyvM+FPrM1eFuA/2/Dvm9AmG/7vJlRGwOQ48zfJ" +
        "lL9JRNeGJCNHZK2kVaqfTAV8bQH1+op0vOBW+bwxvzZlfk13yyVf1zznZjBzVSb060D8tVuMe5pzQR3nrVzS3Eo5k9whTkpAwl+5acqcD6jZS/7GJEj2BfMNu+HCLL3SNk6ZT4nBL8j3" +
        "Ton4r5vwXdLxV7ZMmf8pefKfTPjLJrTZhF9G2bpJ4UFIM3/K3GLCy9KhSRbjQ4eDzDY0oo19THsC7+40Et7SzcbP/U+qz+p2mgnfvzbJcwGZXQ6Wy3WXrN8dMq1b3rY7ojLmp0z4WhP+" +
        "XROWKP8P0f+MDd9qQn9swhtN6Bta2yxfUfxTG5Jk3CnObRRPnjEkd+hGsfR/VOsNo8V3THi/Ct82YTmbkLIk64ImVCEKXzThrSb8BfHYM+Esqwn5v0146G6Zxa1i+bGwDT5UJr51fdJe" +
        "5F/dBM2PJEsums0bRnTYNJnVTTLHu8igc7uky4brp8xWSkIpGsesXLxJjD4nepfSJZDf5ig0of8H";
}
