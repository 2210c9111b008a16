"""The fictional cast: names made of two small lists of our own.

Storybook family names (cloud, star, millet, boat …): a name from here is nobody's.
"""

from random import Random

FAMILY = (
    *(("云", "Yun"), ("星", "Xing"), ("禾", "He"), ("舟", "Zhou"), ("桐", "Tong")),
    *(("岚", "Lan"), ("汀", "Ting"), ("榆", "Yu"), ("棠", "Tang"), ("砚", "Yan")),
    *(("桥", "Qiao"), ("麦", "Mai"), ("杉", "Shan"), ("荷", "He"), ("泉", "Quan")),
    *(("竹", "Zhu"), ("雁", "Yan"), ("松", "Song"), ("溪", "Xi"), ("欧阳", "Ouyang")),
)
GIVEN = (
    *(("一帆", "Yifan"), ("小满", "Xiaoman"), ("青禾", "Qinghe"), ("望舒", "Wangshu")),
    *(("知夏", "Zhixia"), ("听雨", "Tingyu"), ("晓", "Xiao"), ("明远", "Mingyuan")),
    *(("安", "An"), ("书瑶", "Shuyao"), ("长庚", "Changgeng"), ("景行", "Jingxing")),
    *(("秋白", "Qiubai"), ("初一", "Chuyi"), ("谷雨", "Guyu"), ("宁", "Ning")),
    *(("乐水", "Leshui"), ("思齐", "Siqi"), ("晴川", "Qingchuan"), ("立春", "Lichun")),
    *(("朗", "Lang"), ("听泉", "Tingquan"), ("子衿", "Zijin"), ("映雪", "Yingxue")),
)
TOWNS = (
    *(("青汀街道", "Qingting Subdistrict"), ("云桥镇", "Yunqiao Town")),
    *(("星禾镇", "Xinghe Town"), ("榆岸街道", "Yu'an Subdistrict")),
    *(("麦泉镇", "Maiquan Town"), ("竹溪镇", "Zhuxi Town")),
    *(("荷塘街道", "Hetang Subdistrict"), ("雁洲镇", "Yanzhou Town")),
)
VILLAGES = (
    *(("东塘村", "Dongtang"), ("西渡村", "Xidu"), ("南榆村", "Nanyu"), ("北桥村", "Beiqiao")),
    *(("新禾村", "Xinhe"), ("长汀村", "Changting"), ("望湖村", "Wanghu"), ("松林村", "Songlin")),
    *(("石埠村", "Shibu"), ("梅坞村", "Meiwu"), ("槐荫村", "Huaiyin"), ("沙洲村", "Shazhou")),
)


def draw_family(random: Random) -> tuple[str, str]:
    """Return a family name in Chinese and in pinyin."""
    return random.choice(FAMILY)


def draw_name(random: Random, family: tuple[str, str]) -> tuple[str, str]:
    """Return a full name in Chinese and in pinyin (family name last in English)."""
    given = random.choice(GIVEN)
    return family[0] + given[0], f"{given[1]} {family[1]}"
