"""Loss terms of the joint stage and of the flow stage. All return means; weights are in the configuration."""
import torch
import torch.nn.functional as F


def charbonnier(d, eps=1e-3):
    return (d.square() + eps * eps).sqrt()


def per_sample(x):
    return x.flatten(1).mean(1)


def laplacian(d, levels=4):
    """Per sample: L1 of the Laplacian pyramid (box kernels) of a difference picture, level k weighted 2^k."""
    total = 0.0
    for k in range(levels):
        small = F.avg_pool2d(d, 2)
        band = d - F.interpolate(small, scale_factor=2.0, mode="nearest")
        total = total + 2 ** k * per_sample(charbonnier(band))
        d = small
        if d.shape[2] % 2 or d.shape[3] % 2:
            break
    return total


def grey(x):
    return 0.299 * x[:, 0:1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:3]


def pooled(flow, sure, k):
    """Labels at 1/4 sampling averaged over k x k cells, weighted by confidence."""
    if k == 1:
        return flow, sure
    c = F.avg_pool2d(sure, k)
    return F.avg_pool2d(flow * sure, k) / (c + 1e-3), c


def end_point(flow, truth, sure, stride, q=0.1):
    """Robust end-point error in full-size pixels, weighted by confidence."""
    e = ((flow * stride - truth).square().sum(1, keepdim=True) + q * q).sqrt() - q
    return (e * sure).sum() / (sure.sum() + 1)


def depth(z, truth, generator, pairs=2048):
    """Ranking of random pairs of pixels, and shift-invariant L1, of samples whose depth is known."""
    z, truth = z.flatten(1), truth.flatten(1)
    known = torch.isfinite(truth).all(1)
    if not known.any():
        return z.sum() * 0
    z, truth = z[known], truth[known]
    i = torch.randint(0, z.shape[1], (2, pairs), generator=generator).to(z.device)
    dz, dt = z[:, i[0]] - z[:, i[1]], truth[:, i[0]] - truth[:, i[1]]
    apart = dt.abs() > 0.15
    rank = (F.softplus(-2 * dz * dt.sign()) * apart).sum() / (apart.sum() + 1)
    level = (z - z.mean(1, keepdim=True)) - 1.5 * (truth - truth.mean(1, keepdim=True))
    return rank + 0.3 * level.abs().mean()


def occlusion(result, truth, dead=0.03):
    """Per sample: where one warped frame is clearly worse, the mask should leave it. Only the mask learns."""
    with torch.no_grad():
        worse = ((result["w0"] - truth).abs() - (result["w1"] - truth).abs()).mean(1, keepdim=True)
        amount = (worse.abs() - dead).clamp(min=0)
    return per_sample(amount * torch.where(worse > 0, result["mask"], 1 - result["mask"]))


def flow_terms(net, result, batch):
    """Pair flow, depth and projection against the labels: dict of unweighted losses."""
    flow, sure, n = batch["flow"], batch["sure"], batch["t"].shape[0]
    pair, sure_pair = torch.cat([flow[0], flow[1]]), torch.cat([sure[0], sure[1]])
    terms, f = {"flow": 0.0}, result["pair"]
    for level, k, weight in ((2, 2, 1.0), (1, 4, 0.5), (0, 8, 0.25)):
        truth, c = pooled(pair, sure_pair, k)
        terms["flow"] = terms["flow"] + weight * end_point(f[level], truth, c, 4 * k)
    terms["depth"] = depth(result["depth"], torch.cat([batch["depth"][0], batch["depth"][1]]), batch["generator"])
    # depth through the projection: labelled flows go in, so only the importance learns from what comes out
    truth, _ = pooled(pair, sure_pair, 2)
    w = result["importance"]
    at_t, sure_t = pooled(torch.cat([flow[2], flow[3]]), _known_pairs(sure), 2)
    t0, t1, _, _ = net.project(truth[:n] / 8, truth[n:] / 8, w[:n], w[n:], batch["t"])
    terms["projection"] = end_point(torch.cat([t0, t1]), at_t, sure_t, 8)
    return terms


def _known_pairs(sure):
    """Confidence of the flows from t, zero for samples without pair labels (they cannot be projected)."""
    has = ((sure[0] + sure[1]).flatten(1).sum(1) > 0).float().view(-1, 1, 1, 1)
    return torch.cat([sure[2] * has, sure[3] * has])


def _at_time(batch):
    """Labels t0, t1 and their confidence, one after the other."""
    return torch.cat([batch["flow"][2], batch["flow"][3]]), torch.cat([batch["sure"][2], batch["sure"][3]])


def projected_flow(result, batch):
    """Pair flows projected to t, 1/8, against the labels t0, t1: the motion that an interpolated frame needs."""
    truth, sure = pooled(*_at_time(batch), 2)
    return end_point(result["projected"], truth, sure, 8)


def time_flow(result, batch):
    """Refined flows at 1/8, 1/4, 1/2 against the labels t0, t1."""
    truth, sure = _at_time(batch)
    f8, f4, f2 = (torch.cat(f.split(2, 1)) for f in result["flows"])
    t8, c8 = pooled(truth, sure, 2)
    t2, c2 = (F.interpolate(x, scale_factor=2.0, mode="nearest") for x in (truth, sure))
    return 0.5 * end_point(f8, t8, c8, 8) + end_point(f4, truth, sure, 4) + 0.5 * end_point(f2, t2, c2, 2)


def picture_terms(result, truth, census, relative):
    """Losses of the picture, each (N,) times a weight of the sample that sums to one.

    relative = c > 0 divides a sample's loss by its mean error plus c, up to a factor: PSNR is the mean of
    logarithms, so that a sample in which hardly anything is wrong counts as much as a hopeless one."""
    d = result["out"] - truth
    plain = per_sample(charbonnier(d))
    share = torch.ones_like(plain)
    if relative > 0:
        share = relative / (plain.detach() + relative)
        share = share / share.mean()
    share = share / share.numel()
    return {"picture": (share * plain).sum(),
            "laplacian": (share * laplacian(d)).sum(),
            "census": (share * census(grey(result["out"]), grey(truth))).sum(),
            "merged": (share * per_sample(charbonnier(result["merged"] - truth))).sum(),
            "occlusion": (share * occlusion(result, truth)).sum()}


def teacher_terms(result, teacher):
    """Against a larger network's result for the same input: the picture, and the flows of the pair and of t
    (end points in full-size pixels, every place alike). Needs no labels."""
    flow = 0.0
    for mine, theirs, stride in zip(result["pair"][:3], teacher["pair"][:3], (32, 16, 8)):
        flow = flow + 0.25 * end_point(mine, theirs * stride, torch.ones_like(theirs[:, :1]), stride)
    for mine, theirs, stride in zip(result["flows"], teacher["flows"], (8, 4, 2)):
        for k in (0, 2):
            truth = theirs[:, k:k + 2] * stride
            flow = flow + 0.25 * end_point(mine[:, k:k + 2], truth, torch.ones_like(truth[:, :1]), stride)
    return {"teacher_picture": charbonnier(result["out"] - teacher["out"]).mean(), "teacher_flow": flow}
