"""The Chinese characters of the large words, as pixels.

Rasterised from Noto Sans CJK SC Bold at 14 and 22 pixels. That font is
Copyright 2014-2021 Adobe (http://www.adobe.com/), with Reserved Font Name
'Source', and licensed under the SIL Open Font License, Version 1.1
(https://openfontlicense.org). Each row is one hexadecimal number, its leftmost pixel
the highest bit.
"""

from __future__ import annotations

SMALL_PX = 14
LARGE_PX = 22

SMALL: dict[str, str] = {
    "一": ("0000 0000 0000 0000 0000 0000 3fff 1ffe 0000 0000 0000 0000 0000 0000"),
    "中": ("00c0 00c0 1ffe 1ffe 18c6 18c6 18c6 1ffe 1ffe 18c6 00c0 00c0 00c0 00c0"),
    "余": ("00c0 01e0 03f0 063c 1ffe 1ffe 00c0 0ffc 1ffe 00c0 06d8 0ccc 1bc6 0380"),
    "储": ("0c32 0f36 0b7e 1934 187e 3fff 3930 197e 0976 0926 093e 0be6 0b3e 0836"),
    "关": ("0618 0618 0330 0ffe 0ffc 00c0 00c0 1ffe 1ffe 01e0 03b0 071c 1e0e 1806"),
    "再": ("0000 1ffe 1ffe 0ffc 0ffc 0ccc 0ffc 0ffc 0ccc 3fff 1ffe 0c0c 0c3c 0c3c"),
    "冲": ("0030 1830 1c30 0dfe 01fe 0136 0136 0ffe 0dfe 1932 1830 1030 0030 0030"),
    "冻": ("0060 10c0 1bfe 1bfe 09a0 01b0 03fc 01fe 0c30 0db4 19b6 1b36 1372 0060"),
    "准": ("0090 1998 1998 1dfe 0b18 07fe 07fe 0118 0dfe 0dfe 1918 19fe 19ff 0100"),
    "卡": ("00c0 00c0 00fc 00fc 00c0 1ffe 1ffe 00c0 00e0 00f8 00de 00c4 00c0 00c0"),
    "发": ("04c8 0ccc 0cc4 1ffe 0ffe 0180 03fc 03fc 079c 0ef8 1c70 38f8 13de 0306"),
    "取": ("1f80 1ffe 197e 1b26 1f36 1936 1934 1f1c 1f1c 1b98 1f9c 1f3e 0167 0142"),
    "只": ("0000 0ffc 0ffc 0c0c 0c0c 0c0c 0ffc 0ffc 0000 0310 0738 0e1c 1c0e 1806"),
    "存": ("0180 0180 1ffe 1ffe 0600 06fc 0cfc 1c18 3dfe 0dff 0c30 0c30 0c70 0c70"),
    "完": ("00c0 1ffe 1ffe 1806 1bf6 07f8 0000 1ffe 1ffe 0330 0330 0633 1e3e 1c3e"),
    "定": ("00c0 1ffe 1ffe 1806 1ffe 07f8 00c0 06c0 0cfc 0ef8 0ec0 1fc0 19fe 107e"),
    "已": ("0000 1ffc 1ffc 000c 0c0c 0c0c 0ffc 0ffc 0c00 0c00 0c03 0c06 0ffe 07fc"),
    "张": ("1e40 1e46 024c 025c 1e58 1ffe 19ff 1e58 1e48 064c 064c 06f6 06f7 1cc2"),
    "成": ("0068 006c 0ffe 1fff 1860 1f26 1fbc 19bc 19b8 19b8 1bb2 1f7b 18fe 108e"),
    "手": ("007c 1ff8 08c0 00c0 0ffc 1ffe 00c0 00c0 1fff 1ffe 00c0 00c0 07c0 0380"),
    "批": ("0c98 0c98 0c98 3f9a 1f9e 0cfe 0dfc 1f98 1c98 0c98 0c9b 0cfb 1dfe 188e"),
    "拒": ("0cfe 0cfe 0c80 3f80 1ffe 0cfe 0f86 1f86 1cfe 0cfc 0c80 0c80 1cff 18fe"),
    "撤": ("0888 08c8 0bfe 3ddf 1ffa 09fe 0ffe 3f6e 19ec 096c 09ec 096e 197e 1972"),
    "放": ("0430 0630 1f30 3fff 0c7e 0fe4 0ffc 0dfc 0d3c 0918 1918 1b3c 3fe7 1742"),
    "时": ("000c 1f0c 1f0c 1bff 1bfe 1f0c 1f4c 1b6c 1b3c 1f0c 1f0c 180c 003c 0038"),
    "未": ("00c0 00c0 0ffc 0ffc 00c0 00c0 1ffe 1ffe 03f0 07f0 0edc 1cce 18c6 00c0"),
    "机": ("047c 047c 046c 1f6c 1f6c 0c6c 0e4c 1f4c 1fcc 3ccc 34cd 04cd 058f 0586"),
    "次": ("00c0 10c0 1dfe 0dfe 01a6 0336 0334 0470 0c70 0c78 18d8 19cc 0386 0302"),
    "正": ("0000 1ffe 1ffe 00c0 00c0 0cc0 0cfc 0cfc 0cc0 0cc0 0cc0 0cc0 1ffe 1ffe"),
    "消": ("0832 1db6 04b6 00b4 19fe 1dfe 0986 01fe 0586 0d86 0dfe 1986 198e 098c"),
    "看": ("003c 0ffc 0180 0ffe 0380 1ffe 0700 07fc 0f0c 3ffc 17fc 07fc 07fc 060c"),
    "确": ("1e60 1f7c 0cdc 0998 19fe 1efe 1ede 3afe 1ad6 1afe 1ffe 1f96 199e 0006"),
    "碰": ("1ecc 3ecc 0848 09fe 19fe 1e6a 1fea 3bee 3aee 1aec 1eec 1e68 19ff 0000"),
    "结": ("0418 0c18 0cfe 1bfe 3f18 3efe 0cfe 1c00 1ffe 1cfe 00c6 0fc6 3ffe 00fe"),
    "绝": ("0460 0c78 0cfc 1acc 1bdc 3efe 1cd6 0cd6 1ffe 1cc0 00c0 0fc3 3efe 007e"),
    "被": ("0810 0c10 1cfe 3efe 0696 0c92 0ffe 1efe 3fe4 1fbc 0db8 0dbc 0ffe 0d42"),
    "解": ("0c00 0c7e 1f32 1b36 3fee 1fe0 1fac 1ffe 1ffc 1fcc 1fff 17be 178c 118c"),
    "请": ("0830 1dfe 0c30 00fe 1c30 3dff 0c00 0cfe 0c86 0cfe 0f86 0efe 0c86 088c"),
    "货": ("0264 0e7e 1ff8 1fe2 067e 0600 07fc 0ffc 0ccc 0ccc 0ccc 03b8 1f1e 1c06"),
    "超": ("0600 1f7e 1fb6 0636 1f6e 1fc0 0600 177e 1fe6 1e66 1e7e 1e00 37ff 11fe"),
    "退": ("0000 19fc 0d8c 01fc 018c 1dfc 1db6 0dbe 0d9c 0dec 0dc6 1f00 3bfe 103c"),
    "送": ("188c 18cc 0dfe 01fe 0030 3c30 1ffe 0dfe 0c78 0cec 0dce 1f84 3fff 11fe"),
    "销": ("0812 1fd6 1f5e 3010 1efe 1ffe 0cc6 1efe 1fc6 0cc6 0cfe 0fc6 0ece 08ce"),
    "闭": ("0800 1dfe 0dfe 0026 1866 1ffe 1bfe 18e6 19e6 1f66 1e66 18e6 18ce 180e"),
    "额": ("0400 067f 1fbe 1d98 0ffe 3b6a 0f7a 1ffa 19fa 1f7a 091c 093e 0fe7 09e2"),
}

LARGE: dict[str, str] = {
    "一": (
        "000000 000000 000000 000000 000000 000000 000000 000000 000000 1ffffe 1ffffe "
        "1ffffe 000000 000000 000000 000000 000000 000000 000000 000000 000000 000000"
    ),
    "中": (
        "000c00 000c00 000c00 000c00 0ffffc 0ffffc 0ffffc 0e0c1c 0e0c1c 0e0c1c 0e0c1c "
        "0e0c1c 0ffffc 0ffffc 0ffffc 0e0c1c 000c00 000c00 000c00 000c00 000c00 000c00"
    ),
    "余": (
        "000c00 001e00 003f00 007f80 00f3c0 03e1f0 0f807c 1ffffe 1dfffe 081e04 000c00 "
        "000c00 0ffffc 0ffffc 001e00 010c00 03cce0 078c78 0f0c38 1e7c1c 0c7c0c 007800"
    ),
    "储": (
        "020180 0301c6 0761ce 06e7fc 0677fc 0e31d8 0e01f8 1feffe 1ffffe 3ff1e0 1e73c0 "
        "0e77fe 0e7ffe 0e778e 0e738e 0e73fe 0e7bfe 0e7f8e 0e7b8e 0e73fe 0e43fe 06030c"
    ),
    "关": (
        "008040 01c070 01c0e0 00e0e0 00e1c0 07fffc 07fffc 07fff8 000e00 000e00 000e00 "
        "1ffffe 1ffffe 0ffffc 001f00 003f80 007bc0 01f1f0 07e0fc 1fc07e 0f001c 080004"
    ),
    "再": (
        "000000 000000 0ffffc 0ffffc 000c00 001e00 07fff8 07fff8 070c38 071c38 07fff8 "
        "07fff8 070c38 070c38 1ffffe 1ffffe 070038 070038 070038 070038 0701f8 0701f0"
    ),
    "冲": (
        "000180 000180 0c0180 1e0180 0f7ffe 077ffe 027ffe 00718e 00718e 00718e 00718e "
        "02718e 037ffe 077ffe 077ffe 0e718c 0e0180 1c0180 1c0180 000180 000180 000180"
    ),
    "冻": (
        "000600 000e00 1c0e00 1cfffe 0efffe 0e1c00 071c00 063980 003980 007180 007ffc "
        "007ffc 0623c0 070180 063998 0e399c 0e719c 1cf18e 1ce18e 18cf86 000f80 000400"
    ),
    "准": (
        "000040 081dc0 1c18e0 1e38e0 0e3ffe 0f7ffe 0770e0 04f0e0 01f0e0 03fffe 01bffe "
        "0030e0 0330e0 073ffe 073ffe 0f30e0 0e30e0 0e30e0 1c3ffe 1c3ffe 043000 003000"
    ),
    "卡": (
        "001c00 001c00 001c00 001ff8 001ff8 001ff8 001c00 001c00 1ffffe 1ffffe 1ffffe "
        "001c00 001c00 001f80 001fe0 001ff8 001c7c 001c18 001c00 001c00 001c00 001c00"
    ),
    "发": (
        "000c20 039e70 039c78 031c38 071c10 0ffffe 0ffffe 07fffc 003800 007ff0 007ff8 "
        "00fff8 00f870 01f870 03dce0 078fe0 0f0fc0 1f0fc0 1c3ff8 09fcfe 00f03e 004004"
    ),
    "取": (
        "000000 1ff800 1ff800 0e77fe 0e77fe 0e730e 0ff38c 0ff38c 0e719c 0e719c 0e71dc "
        "0ff1f8 0ff0f8 0e70f0 0e70f0 0efcf0 1ffcf8 1ff1f8 1e73dc 00779e 00770e 007200"
    ),
    "只": (
        "000000 000000 07fff8 07fff8 07fff8 070038 070038 070038 070038 070038 07fff8 "
        "07fff8 07fff8 000000 000000 00e1c0 01e1e0 03c0f0 078078 0f003c 0e001c 040008"
    ),
    "存": (
        "002000 003800 007000 0ffffc 1ffffe 1ffffe 00e000 01c000 03dffc 039ff8 070070 "
        "0f00e0 1f01c0 1f01c0 1b3ffe 033ffe 0301c0 0301c0 0301c0 0305c0 030fc0 030780"
    ),
    "完": (
        "000c00 001c00 0ffffc 0ffffc 0ffffc 0c000c 0c000c 0dffec 01ffe0 000000 000000 "
        "1ffffe 1ffffe 0ffffc 00e380 00e380 00e384 01c386 03c386 1f83fe 1f01fc 080000"
    ),
    "定": (
        "000c00 001c00 0ffffc 0ffffc 0ffffc 0c000c 0c000c 0dffec 01ffe0 01ffe0 000c00 "
        "038c00 038e00 038ff0 038ff0 07cc00 07cc00 07fc00 0efc00 1e7ffe 1c1ffe 0803fc"
    ),
    "已": (
        "000000 0ffff0 0ffff0 0ffff0 000030 000030 070030 070030 070030 07fff0 07fff0 "
        "07fff0 070030 070000 070000 07000e 07000e 07000e 07fffe 03fffc 01fff8 000000"
    ),
    "张": (
        "000000 0fce08 0fce1c 01ce1c 00ce38 00cef0 0fcee0 0fce40 0e1ffe 0c3ffe 0c3ffe "
        "0c0e60 0fce60 0fce70 01ce70 01ce38 01ce38 01cfdc 01cfde 0f9f0e 0f8c04 000000"
    ),
    "成": (
        "000720 000770 00073c 000718 0ffffe 0ffffe 0ffffe 0e0300 0e039c 0ffb9c 0ffbb8 "
        "0f3bb8 0e3bf0 0e39f0 0e31e0 0e31e4 0ff3c6 0cf7e6 1c0fe6 1c1e7e 1c1c7c 080818"
    ),
    "手": (
        "000030 003ff0 0ffff8 07ff00 000c00 000c00 000c00 0ffffc 0ffffc 07fff8 000c00 "
        "000c00 1ffffe 1ffffe 1ffffe 000c00 000c00 000c00 000c00 01fc00 00fc00 00e000"
    ),
    "批": (
        "030000 031c60 031c60 031c60 079c60 1fdc64 1fdc6e 031c7e 031f7c 031f78 03dc70 "
        "0ffc60 1fdc60 1f1c60 071c60 031c64 031c66 031f66 071f66 1f3e7e 1f187e 000018"
    ),
    "拒": (
        "030000 071ffc 071ffe 071ffe 079c00 1fdc00 1fdc00 071ffc 071ffc 071c1c 07dc1c "
        "0ffc1c 1fdc1c 1f1ffc 071ffc 071c00 071c00 071c00 071ffe 1f1ffe 1f1ffe 000000"
    ),
    "撤": (
        "061830 061c30 067ff0 067ff0 0e387e 1fb67e 1ff66e 067fec 067fec 0600ec 067fec "
        "07ff7c 1fe73c 1e7f38 067f38 066738 067f38 067f7c 06676e 1e6fee 1c6ec4 000000"
    ),
    "放": (
        "018180 0381c0 018380 01c380 1ffb80 1ffbfe 0707fe 07071c 070798 07ff98 07ffb8 "
        "077db8 0671f0 0670f0 0670f0 0e70f0 0e71f0 0e73f8 1c77be 1dff1e 19ee04 000000"
    ),
    "时": (
        "000018 000038 1fe038 1fe038 1ceffe 1c6ffe 1c6ffe 1c6038 1ce038 1fe638 1fee38 "
        "1c6738 1c63b8 1c63b8 1c6138 1fe038 1fe038 1c0038 1c0038 0c03f8 0001f0 0001c0"
    ),
    "未": (
        "000c00 000c00 000c00 000c00 07fff8 07fff8 07fff8 000c00 000c00 1ffffe 1ffffe "
        "1ffffe 003f00 007f80 00ffc0 01ede0 03ccf0 0f8c7c 1f0c3e 1c0c1e 080c04 000c00"
    ),
    "机": (
        "038000 0387f0 0387f8 0387f8 038638 1ff638 1ff638 1fe638 038638 078638 07c638 "
        "0fe638 0ffe38 0fae38 1bae38 1b8e3a 138c3b 039c3b 039c3b 03b83f 03b03e 038000"
    ),
    "次": (
        "000800 001c00 0c1c00 1e1c00 0f1ffc 07bffe 033ffe 00739c 00739c 00f39c 006398 "
        "010380 0383c0 0787c0 0707c0 0e0fe0 0e0ef0 1c1e78 1c7c3c 00f81e 00f00c 004000"
    ),
    "正": (
        "000000 000000 0ffffc 0ffffc 0ffffc 000e00 000e00 000e00 030e00 030ff8 030ff8 "
        "030ff8 030e00 030e00 030e00 030e00 030e00 030e00 1ffffe 1ffffe 1ffffe 000000"
    ),
    "消": (
        "0001c0 0e31ce 0fb9ce 07b9dc 011ddc 0019c8 0003c0 1c3ffc 1f3ffc 0f380c 02380c "
        "003ffc 003ffc 01381c 03b80c 033ffc 073ffc 06381c 0e381c 1c387c 0c387c 000000"
    ),
    "看": (
        "000030 07fff8 07ffe0 003800 07fffc 07fffc 007000 1ffffe 1ffffe 01e000 01fff8 "
        "03fff8 07c038 0ffff8 1ffff8 1cc038 08fff8 00fff8 00c038 00fff8 00fff8 00c038"
    ),
    "确": (
        "000600 1fe700 1feff0 070ff8 071c70 063c70 063ffe 0e3ffe 0e3cce 0fccce 1fcffe "
        "1ecffe 1eccce 1eccce 0edffe 0edffe 0edcce 0fd8ce 0ff8ce 0e38ce 0430dc 001000"
    ),
    "碰": (
        "000000 000c38 1fce38 1fce30 060670 063ffe 0e3ffe 0e0760 0fc764 0ff76e 1cf76e "
        "1cff6c 3cdf6c 1cdf7c 1cdf7c 0cdf78 0ccf78 0fc760 0fc760 0c3ffe 0c3ffe 000000"
    ),
    "结": (
        "0200c0 0380c0 0780c0 071ffe 071ffe 0e7ffe 1ce0c0 3fe0c0 1fcffc 1f8ffe 070ffe "
        "0f0000 0fe000 1feffc 1f8ffc 180e1c 000e1c 01ee1c 1fee1c 1feffc 1c0ffc 000e1c"
    ),
    "绝": (
        "030300 038700 0307f8 070ff8 061e78 0edc70 0cfc70 1fdffc 1fdffc 1f9ccc 031ccc "
        "071ccc 0e7ccc 1ffffc 1fdffc 181c00 001c00 03fc06 1fec0e 1f0ffe 100ffc 000000"
    ),
    "被": (
        "0200c0 0700c0 0700c0 0301e0 1fdffe 1fdffe 019cce 039ccc 039cc4 077ffc 07fffc "
        "0fdf1c 1fdf1c 1ffb18 175bb8 0739f0 0739f0 0731f0 0773fc 077fbe 076f1e 070404"
    ),
    "解": (
        "030000 070000 07e7fe 07f7fe 0e61ce 0c61ce 1ffb8e 1fffbc 0dbf3c 0dbb30 0ffb70 "
        "0ffbfe 0dbffe 0dbe70 0ffe70 0ff870 0dbffe 0dbffe 1db870 19f870 183070 000030"
    ),
    "请": (
        "0401c0 0e3ffe 073ffe 0381c0 031ffc 001ffc 0001c0 1f3ffe 1f3ffe 1f0000 071ffc "
        "071ffc 071c1c 071ffc 071ffc 075c1c 07dc1c 07fffc 079ffc 071c1c 061c7c 001c78"
    ),
    "货": (
        "00c700 01e71c 03c77c 0787f8 1fbfc0 1fbf06 09870e 0187fe 0183fc 000000 03fff8 "
        "03fff8 038078 030c38 030c38 031c38 031c38 003fc0 00fbf8 0ff0fe 0fc01c 040004"
    ),
    "超": (
        "018000 0187fe 0387fe 1ff1ce 1ff18e 01838c 01839c 1fff7c 1ffe38 01c000 0187fc "
        "0d87fc 0df71c 0df71c 1dc71c 1f87fc 1f87fc 1f8000 1bfffe 19fffe 187ffe 000000"
    ),
    "退": (
        "000000 0c3ff8 1e3ff8 0f3838 073818 033ff8 003ff8 003818 003ff8 1f3ff8 1f388c "
        "0739de 0739f8 0738f0 073f38 073f1c 073f1c 07b008 0fe000 1cfffe 183ffe 000000"
    ),
    "送": (
        "040810 0e1c38 0e0e38 070e70 073ffc 023ffc 0003c0 000380 1f0380 1f7ffe 077ffe "
        "0703c0 0703e0 0707f0 070f78 073e3c 077c1c 0f3008 1fe000 3dfffe 187ffe 000ff0"
    ),
    "销": (
        "0000c0 0704c4 060cce 0feece 1feedc 1fe6c8 1804e0 1feffe 0feffe 030c0e 030c0e "
        "038ffe 1feffe 1fec0e 030c0e 030ffe 030ffe 03ec0e 03ec0e 07cc3c 070c3c 000c00"
    ),
    "闭": (
        "000000 0e0000 0f3ffe 073ffe 03000e 00038e 1c038e 1c038e 1dffee 1dffee 1cffee "
        "1c1f8e 1c3f8e 1c7b8e 1cf38e 1de38e 1dc38e 1c9f8e 1c1f0e 1c1e7e 1c003c 0c0000"
    ),
    "额": (
        "000000 038000 01c7fe 1ffffe 1ff860 1f18e0 1ffffe 0ffffe 1c770e 1bf76e 07e76e "
        "07e76e 0fff6e 1f7f6e 1c176e 0ff7ee 0ff7ee 0e30d0 0e31dc 0ff78e 0fff06 063400"
    ),
}
