//! Yandex, VK, Tencent, Sina, Baidu and others that serve mostly one region.

super::service_rows! {
    "yandex", "Yandex", Web, ["Yandex"], ["yandex.ru", "yandex.com", "ya.ru", "yandex.net", "yastatic.net", "yandex.by", "yandex.kz", "yandex.com.tr", "yandex.ua", "kinopoisk.ru", "yandex.uz", "turbopages.org", "yandex.st"];
    "yandex-mail", "Yandex Mail", Mail, ["YandexMail"], ["mail.yandex.ru", "mail.yandex.com", "mail.yandex.net", "imap.yandex.ru", "smtp.yandex.ru", "imap.yandex.com", "smtp.yandex.com", "360.yandex.ru"];
    "yandex-music", "Yandex Music", Media, ["YandexMusic"], ["music.yandex.ru", "music.yandex.net", "music.yandex.com", "music.yandex.by", "music.yandex.kz"];
    "yandex-market", "Yandex Market", Web, ["YandexMarket"], ["market.yandex.ru", "market.yandex.net", "m.market.yandex.ru", "market.yandex.by", "market.yandex.kz"];
    "yandex-disk", "Yandex Disk", Cloud, ["YandexDisk"], ["disk.yandex.ru", "disk.yandex.com", "disk.yandex.net", "yadi.sk", "webdav.yandex.ru", "webdav.yandex.com", "disk.360.yandex.ru", "downloader.disk.yandex.ru", "cloud-api.yandex.net"];
    "yandex-cloud", "Yandex Cloud", Cloud, ["YandexCloud"], ["cloud.yandex.ru", "cloud.yandex.com", "cloud.yandex.net", "yandexcloud.net", "yandex.cloud", "console.cloud.yandex.ru"];
    "yandex-metrika", "Yandex Metrica", Web, ["YandexMetrika"], ["mc.yandex.ru", "metrika.yandex.ru", "mc.yandex.com", "metrica.yandex.com", "appmetrica.yandex.ru", "appmetrica.yandex.com", "mc.webvisor.org", "report.appmetrica.yandex.net"];
    "yandex-direct", "Yandex Direct", Web, ["YandexDirect"], ["direct.yandex.ru", "an.yandex.ru", "direct.yandex.com", "bs.yandex.ru", "yabs.yandex.ru", "awaps.yandex.ru", "adfox.ru", "adfox.yandex.ru"];
    "vk", "VK", Social, ["VK"], ["vk.com", "vk.ru", "userapi.com", "vk.me", "vkuseraudio.net", "vkuservideo.net", "vk-cdn.net", "vk-portal.net", "vk.cc", "mycdn.me", "vkuser.net", "vk-apps.com", "vkontakte.ru"];
    "ok-ru", "Odnoklassniki", Social, [], ["ok.ru", "odnoklassniki.ru", "okcdn.ru"];
    "mail-ru", "Mail.ru", Mail, [], ["mail.ru", "imgsmail.ru", "mradx.net", "list.ru", "bk.ru", "my.com", "cloud.mail.ru"];
    "rutube", "Rutube", Media, [], ["rutube.ru"];
    "sberbank", "Sber", Web, [], ["sberbank.ru", "sber.ru"];
    "ozon", "Ozon", Web, [], ["ozon.ru", "ozone.ru"];
    "wildberries", "Wildberries", Web, [], ["wildberries.ru", "wbbasket.ru", "wb.ru"];
    "tencent", "Tencent", Web, ["Tencent"], ["tencent.com", "gtimg.com", "gtimg.cn", "qcloud.com", "myqcloud.com", "tencent-cloud.net", "tencent-cloud.com", "tencentcloudapi.com", "qcloudcdn.com", "tencentmusic.com", "idqqimg.com", "qpic.cn", "qlogo.cn", "tencentcos.cn", "cdntip.com", "tencent.net"];
    "qq", "QQ", Chat, ["QQ"], ["qq.com", "qq.com.cn", "qzone.com", "qqmail.com", "url.cn"];
    "sina", "Sina", Web, ["Sina"], ["sina.com", "sina.com.cn", "sinaimg.cn", "sina.cn", "sinajs.cn", "sinajs.com", "sinaimg.com", "sinastorage.com", "sinaedge.com", "sinauda.com"];
    "weibo", "Weibo", Social, ["SinaWeibo"], ["weibo.com", "weibo.cn", "weibocdn.com", "weibo.com.cn", "wcdn.cn", "t.cn"];
    "baidu", "Baidu", Web, [], ["baidu.com", "bdstatic.com", "bdimg.com", "baidustatic.com", "bcebos.com", "baidupcs.com", "bdydns.com", "baidu.cn", "bcedns.com", "bdurl.net", "hao123.com"];
    "bytedance-cn", "Douyin and Toutiao", Social, [], ["douyin.com", "douyincdn.com", "douyinpic.com", "toutiao.com", "snssdk.com", "amemv.com", "zijieapi.com", "bytedns.net", "douyinvod.com", "feishu.cn", "bytecdn.cn", "byteimg.com"];
    "zhihu", "Zhihu", Social, [], ["zhihu.com", "zhimg.com"];
    "xiaohongshu", "Xiaohongshu", Social, [], ["xiaohongshu.com", "xhscdn.com"];
    "jd", "JD.com", Web, [], ["jd.com", "360buyimg.com", "jdcloud.com"];
    "meituan", "Meituan", Web, [], ["meituan.com", "meituan.net", "dianping.com"];
    "kuaishou", "Kuaishou", Social, [], ["kuaishou.com", "gifshow.com", "yximgs.com", "kwai.com", "kwaicdn.com"];
    "sohu", "Sohu", Web, [], ["sohu.com", "sogou.com", "itc.cn", "sogoucdn.com"];
    "qihoo", "Qihoo 360", Secure, [], ["360.cn", "360.com", "qhimg.com", "qhres.com", "360safe.com", "qihucdn.com"];
    "naver", "Naver", Web, [], ["naver.com", "naver.net", "pstatic.net", "navercorp.com"];
    "daum", "Daum", Web, [], ["daum.net"];
    "rakuten", "Rakuten", Web, [], ["rakuten.co.jp", "rakuten.com", "r10s.jp"];
    "niconico", "Niconico", Media, [], ["nicovideo.jp", "dwango.jp", "nimg.jp"];
    "mercado-libre", "Mercado Libre", Web, [], ["mercadolibre.com", "mercadolibre.com.ar", "mercadolivre.com.br", "mlstatic.com", "mercadopago.com"];
    "globo", "Globo", Media, [], ["globo.com", "glbimg.com"];
    "flipkart", "Flipkart", Web, [], ["flipkart.com", "flixcart.com"];
    "hotstar", "Hotstar", Media, [], ["hotstar.com", "hotstarext.com", "hotstar-cdn.net"];
    "jio", "Jio", Web, [], ["jio.com", "jiocinema.com", "jiosaavn.com"];
    "zalo", "Zalo", Chat, [], ["zalo.me", "zaloapp.com", "zadn.vn", "zing.vn"];
    "orange", "Orange", Web, [], ["orange.fr", "woopic.com", "orange.com"];
    "ocs", "OCS", Media, ["OCS"], ["ocs.fr", "ocsdomain.fr"];
    "canal-plus", "Canal+", Media, [], ["canalplus.com", "canal-plus.net", "canal-plus.com", "mycanal.fr"];
    "rai", "Rai", Media, [], ["rai.it", "raiplay.it"];
    "sky", "Sky", Media, [], ["sky.com", "skycdp.com", "sky.it", "sky.de", "nowtv.com"];
    "zdf-ard", "ARD and ZDF", Media, [], ["ardmediathek.de", "zdf.de", "ard.de", "daserste.de", "tagesschau.de", "zdf-cdn.live.cellular.de"];
    "telekom", "Deutsche Telekom", Web, [], ["telekom.de", "t-online.de", "telekom.com"];
}
